"""Runs `train` on a folder of channels, with a line for each epoch.

    python -m scripts.local.run_training --data FOLDER --hyperparameters FILE

The tree that stands for `/opt/ml`, with the model in it, and the log go to --place.
"""

import argparse
import sys
from pathlib import Path

from scripts.local.training import TrainingFailed, train
from scripts.local.tree import prepare

PLATFORM = Path("configs/demo")


def main() -> None:
    """Reads the arguments and trains."""
    parser = argparse.ArgumentParser(description="Run `train` on a folder with four channels.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the four channels")
    parser.add_argument("--hyperparameters", type=Path, required=True, help="the job's JSON file")
    parser.add_argument("--place", type=Path, default=Path("build/training"))
    arguments = parser.parse_args()
    base = prepare(
        (arguments.place / "opt-ml").resolve(), arguments.hyperparameters, PLATFORM, arguments.data
    )
    try:
        train(base, arguments.place / "train.log", lambda epoch: print(epoch, flush=True))
    except TrainingFailed as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
