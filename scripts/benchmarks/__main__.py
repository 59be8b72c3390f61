"""`make bench`: serving speed, and two epochs next to plain GluonCV on drawn shapes.

The README's figures come from the two programs with other arguments; it names them.
"""

import json
from pathlib import Path

from scripts.benchmarks.compare_training import compare
from scripts.benchmarks.serving_latency import measure
from scripts.demo.dataset import write_dataset
from semseg import runtime

PLACE = Path("build/benchmarks")
HYPERPARAMETERS = Path("configs/benchmarks/shapes.json")
VALIDATION_IMAGES = 16


def main() -> None:
    """Runs both benchmarks and prints what they found."""
    job = json.loads(HYPERPARAMETERS.read_text())
    shapes = PLACE / "shapes"
    write_dataset(
        shapes, shapes / "held-out", int(job["num_training_samples"]), VALIDATION_IMAGES, seed=7
    )
    print(compare(shapes / "input" / "data", HYPERPARAMETERS, PLACE / "training"))

    runtime.prepare()
    for name, value in measure(PLACE / "serving", "fcn", repetitions=7).items():
        print(f"{name}: {value:.3f}")


if __name__ == "__main__":
    main()
