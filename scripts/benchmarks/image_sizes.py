"""What images of ever new sizes cost in time and memory, and what one large image takes.

    python -m scripts.benchmarks.image_sizes --images 1000
    python -m scripts.benchmarks.image_sizes --algorithm psp --large 4000x6000

Seconds are CPU seconds of all threads, divided by their number: on a quiet machine that is how long
it takes, and on a busy one still what it costs. The first line is of one size again and again, the
others of images whose sides are drawn between 64 and 800 pixels, no two of the same size. Memory is
the process' resident memory, as a worker of `serve` has it besides HTTP. The weights are random,
which costs the same as trained ones, unless --model names a model's folder.
"""

import argparse
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from scripts.benchmarks.serving.models import write_random_artifact
from semseg import runtime

if TYPE_CHECKING:
    from semseg.inference.predictor import Predictor

SMALLEST, LARGEST = 64, 800
ONE_SIZE = (432, 432)  # as many pixels as the others have on average
TELL_EVERY = 100


def mebibytes(name: str) -> int:
    """A figure of this process' memory, as Linux calls it."""
    [line] = [
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)
    ]
    return int(line.split()[1]) >> 10


def picture(height: int, width: int) -> npt.NDArray[np.uint8]:
    """RGB noise, uint8 (H,W,3)."""
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def sizes(count: int) -> Iterator[tuple[int, int]]:
    """Different heights and widths."""
    sides = random.Random(1)
    seen: set[tuple[int, int]] = set()
    while len(seen) < count:
        size = sides.randint(SMALLEST, LARGEST), sides.randint(SMALLEST, LARGEST)
        if size not in seen:
            seen.add(size)
            yield size


def seconds_a_megapixel(predictor: "Predictor", images: list[tuple[int, int]]) -> float:
    """CPU seconds for a mask of each size, by threads and by megapixels."""
    pictures = [picture(*size) for size in images]
    before = os.times()
    for one in pictures:
        predictor.mask(one)
    after = os.times()
    taken = after.user - before.user + after.system - before.system
    threads = int(os.environ["OMP_NUM_THREADS"])
    return taken / threads / sum(height * width for height, width in images) * 1e6


def many_sizes(predictor: "Predictor", count: int) -> None:
    """Prints a line for one size, and one for each hundred different ones."""
    seconds_a_megapixel(predictor, [ONE_SIZE] * 3)
    alone = seconds_a_megapixel(predictor, [ONE_SIZE] * 20)
    print(f"{'one size':>12} {alone:8.3f} s/megapixel {mebibytes('VmRSS'):6} MiB", flush=True)
    drawn = list(sizes(count))
    for start in range(0, count, TELL_EVERY):
        part = drawn[start : start + TELL_EVERY]
        seconds = seconds_a_megapixel(predictor, part)
        print(
            f"{start + len(part):6} sizes {seconds:8.3f} s/megapixel {mebibytes('VmRSS'):6} MiB,"
            f" {seconds / alone - 1:+.0%}",
            flush=True,
        )
    print(f"{'most':>12} {mebibytes('VmHWM'):36} MiB")


def one_large(predictor: "Predictor", height: int, width: int) -> None:
    """Prints what one image costs."""
    seconds = seconds_a_megapixel(predictor, [(height, width)]) * height * width / 1e6
    print(f"{height}x{width}: {seconds:.0f} s, at most {mebibytes('VmHWM')} MiB")


def as_a_worker() -> None:
    """Starts this program again with a worker's environment, which some libraries read early."""
    wanted = runtime.serving_environment(workers=1)
    if not wanted.keys() <= os.environ.keys():
        arguments = [sys.executable, "-m", "scripts.benchmarks.image_sizes", *sys.argv[1:]]
        os.execve(sys.executable, arguments, {**wanted, **os.environ})


def main() -> None:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description="Measure images of many sizes, or a large one.")
    parser.add_argument("--algorithm", default="fcn", choices=("fcn", "psp", "deeplab"))
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--large", help="one image instead, HEIGHTxWIDTH")
    parser.add_argument("--memory", type=float, default=3, help="GiB there are for a large one")
    parser.add_argument("--int8", action="store_true", help="needs --model with thresholds")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--place", type=Path, default=Path("build/benchmarks/sizes"))
    arguments = parser.parse_args()
    as_a_worker()
    folder = arguments.model or arguments.place / arguments.algorithm
    if arguments.model is None and not folder.exists():
        write_random_artifact(folder, arguments.algorithm)

    from semseg.inference.predictor import Predictor
    from semseg.networks.artifact import read_artifact
    from semseg.networks.thresholds import read_thresholds
    from semseg.serving.heap import give_back_unused
    from semseg.serving.memory import WorkerMemory

    artifact = read_artifact(folder)
    memory = WorkerMemory(workers=1, memory=int(arguments.memory * (1 << 30)))
    predictor = Predictor(
        artifact,
        thresholds=read_thresholds(artifact) if arguments.int8 else None,
        affordable=memory.pixels_at_once(artifact.architecture.algorithm),
    )
    predictor.warm_up()
    give_back_unused()
    if arguments.large:
        height, width = map(int, arguments.large.split("x"))
        one_large(predictor, height, width)
    else:
        many_sizes(predictor, arguments.images)


if __name__ == "__main__":
    main()
