"""`make bench`: loading and two epochs next to plain GluonCV on drawn shapes, and serving speed.

The README's figures come from the three programs with other arguments; it names them.
"""

import json
import subprocess
import sys
from pathlib import Path

from scripts.benchmarks.compare_training import compare
from scripts.benchmarks.serving.__main__ import main as bench_serving
from scripts.demo.dataset import write_dataset

PLACE = Path("build/benchmarks")
HYPERPARAMETERS = Path("configs/benchmarks/shapes.json")
VALIDATION_IMAGES = 16


def main() -> None:
    """Runs the benchmarks and prints what they found."""
    job = json.loads(HYPERPARAMETERS.read_text())
    shapes = PLACE / "shapes"
    write_dataset(
        shapes, shapes / "held-out", int(job["num_training_samples"]), VALIDATION_IMAGES, seed=7
    )
    # In a process of its own, which GluonCV's loader forks.
    loading = [sys.executable, "-m", "scripts.benchmarks.loading"]
    data = ["--data", str(shapes / "input" / "data"), "--crop-sizes", str(job["crop_size"])]
    subprocess.run([*loading, *data], check=True)
    print(compare(shapes / "input" / "data", HYPERPARAMETERS, PLACE / "training"))

    ours = ["GluonCV, threads set", "this, fp32"]
    bench_serving(["--networks", "fcn", "--sizes", "480x480", "--contenders", *ours])


if __name__ == "__main__":
    main()
