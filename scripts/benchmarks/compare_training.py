"""Trains twice on the same data, with `train` and the GluonCV way, and compares the two.

    python -m scripts.benchmarks.compare_training --data FOLDER --hyperparameters FILE

Prints a Markdown table: validation mIOU of each epoch side by side, the seconds of the whole jobs,
and the best score that one class everywhere would get. Everything else goes to --place.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from scripts.local import training
from scripts.local.tree import prepare
from semseg import runtime
from semseg.container import available_cpus
from semseg.data.augmentation import centre_crop

PLATFORM = Path("configs/demo")  # inputdataconfig.json and resourceconfig.json are the same


@dataclass(frozen=True)
class Job:
    """A finished run: validation mIOU and pixel accuracy of each epoch, and the job's seconds."""

    miou: Sequence[float]
    pixel_accuracy: Sequence[float]
    seconds: float


def train_ours(data: Path, hyperparameters: Path, place: Path) -> Job:
    """Runs `train` as SageMaker would."""
    base = prepare((place / "opt-ml").resolve(), hyperparameters, PLATFORM, data)
    started = time.monotonic()
    epochs = training.train(base, place / "train.log", lambda epoch: _tell("train", epoch.miou))
    return Job(
        [epoch.miou for epoch in epochs],
        [epoch.pixel_accuracy for epoch in epochs],
        time.monotonic() - started,
    )


def train_baseline(data: Path, hyperparameters: Path, place: Path) -> Job:
    """Runs the GluonCV baseline with the thread settings that `train` gives itself."""
    program = [sys.executable, "-m", "scripts.benchmarks.gluoncv_baseline"]
    arguments = ["--data", str(data), "--hyperparameters", str(hyperparameters)]
    environment = {**runtime.environment(available_cpus()), **os.environ}
    epochs = []
    started = time.monotonic()
    with (
        (place / "gluoncv.log").open("w") as log,
        subprocess.Popen(
            program + arguments, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as job,
    ):
        assert job.stdout is not None
        for line in job.stdout:
            log.write(line)
            log.flush()
            if line.startswith("{"):
                epochs.append(json.loads(line))
                _tell("GluonCV", epochs[-1]["miou"])
    if job.returncode != 0:
        raise training.TrainingFailed(f"The baseline failed; see {place / 'gluoncv.log'}")
    return Job(
        [epoch["miou"] for epoch in epochs],
        [epoch["pixel_accuracy"] for epoch in epochs],
        time.monotonic() - started,
    )


def one_class_score(data: Path, num_classes: int, crop_size: int | None) -> tuple[int, float]:
    """The best mIOU that naming one class everywhere gets on the validation set, and that class.

    Args:
        data: folder with the four channels.
        num_classes: number of classes.
        crop_size: of the centre crops that are scored; None for whole images.
    """
    counts = np.zeros(256, np.int64)
    for file in sorted((data / "validation_annotation").glob("*.png")):
        mask = Image.open(file)
        labels = Image.fromarray(np.asarray(mask, np.uint8))
        if crop_size is not None:
            labels = Image.fromarray(centre_crop(labels.convert("RGB"), labels, crop_size)[1])
        counts += np.bincount(np.asarray(labels).ravel(), minlength=256)
    labelled = counts[:num_classes]
    best = int(labelled.argmax())
    return best, float(labelled[best] / max(1, labelled.sum()) / num_classes)


def table(ours: Job, baseline: Job, constant: tuple[int, float]) -> str:
    """The comparison in Markdown."""
    rows = ["| epoch | `train` mIOU | GluonCV mIOU |", "| --- | --- | --- |"]
    for number, (mine, theirs) in enumerate(zip(ours.miou, baseline.miou, strict=True), start=1):
        rows.append(f"| {number} | {mine:.4f} | {theirs:.4f} |")
    rows.append(f"| best | {max(ours.miou):.4f} | {max(baseline.miou):.4f} |")
    accuracies = ours.pixel_accuracy[-1], baseline.pixel_accuracy[-1]
    rows.append(f"| last pixel accuracy | {accuracies[0]:.4f} | {accuracies[1]:.4f} |")
    rows.append(f"| whole job, seconds | {ours.seconds:.0f} | {baseline.seconds:.0f} |")
    rows.append(f"\nClass {constant[0]} everywhere: mIOU {constant[1]:.4f}.")
    return "\n".join(rows) + "\n"


def compare(data: Path, hyperparameters: Path, place: Path) -> str:
    """Runs both, one after the other, and returns the table."""
    place.mkdir(parents=True, exist_ok=True)
    job = json.loads(hyperparameters.read_text())
    whole = int(job["validation_mini_batch_size"]) == 1
    crop_size = None if whole else int(job["crop_size"])
    constant = one_class_score(data, int(job["num_classes"]), crop_size)
    ours = train_ours(data, hyperparameters, place)
    baseline = train_baseline(data, hyperparameters, place)
    text = table(ours, baseline, constant)
    (place / "comparison.md").write_text(text)
    return text


def _tell(who: str, miou: float) -> None:
    print(f"{who}: mIOU {miou:.4f}", file=sys.stderr, flush=True)


def main() -> None:
    """Reads the arguments and prints the table."""
    parser = argparse.ArgumentParser(description="Compare `train` with plain GluonCV.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the four channels")
    parser.add_argument("--hyperparameters", type=Path, required=True, help="the jobs' JSON file")
    parser.add_argument("--place", type=Path, default=Path("build/benchmarks/training"))
    arguments = parser.parse_args()
    print(compare(arguments.data, arguments.hyperparameters, arguments.place))


if __name__ == "__main__":
    main()
