"""What images of ever new sizes cost in time and memory, and what one large image takes.

    python -m scripts.benchmarks.image_sizes --images 1000
    python -m scripts.benchmarks.image_sizes --algorithm psp --large 4000x6000

Seconds are given twice: the CPU's, of all threads and divided by their number, which is what an
image costs on a busy machine, too; and those that went by, which on a quiet one are more where not
all threads have work. The first line is of one size again and again, the others of images whose
sides are drawn between 64 and 800 pixels, no two of the same size. Memory is the process' resident
memory, as a worker of `serve` has it besides HTTP. The weights are random, which costs the same as
trained ones, unless --model names a model's folder.
"""

import argparse
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Seconds:
    """What masks took: CPU seconds by threads, and those that went by."""

    cpu: float
    elapsed: float

    def a_megapixel(self, images: list[tuple[int, int]]) -> "Seconds":
        """The same for each million pixels of images of these sizes."""
        megapixels = sum(height * width for height, width in images) / 1e6
        return Seconds(self.cpu / megapixels, self.elapsed / megapixels)


def measure(predictor: "Predictor", images: list[tuple[int, int]]) -> Seconds:
    """What masks of these sizes took together."""
    pictures = [picture(*size) for size in images]
    before = os.times()
    for one in pictures:
        predictor.mask(one)
    after = os.times()
    taken = after.user - before.user + after.system - before.system
    return Seconds(taken / int(os.environ["OMP_NUM_THREADS"]), after.elapsed - before.elapsed)


def many_sizes(predictor: "Predictor", count: int) -> None:
    """Prints a line for one size, and one for each hundred different ones."""
    same = [ONE_SIZE] * 20
    measure(predictor, same[:3])
    alone = measure(predictor, same).a_megapixel(same)
    print(
        f"{'one size':>12} {alone.cpu:8.3f} CPU, {alone.elapsed:.3f} s/megapixel"
        f" {mebibytes('VmRSS'):6} MiB",
        flush=True,
    )
    drawn = list(sizes(count))
    for start in range(0, count, TELL_EVERY):
        part = drawn[start : start + TELL_EVERY]
        new = measure(predictor, part).a_megapixel(part)
        print(
            f"{start + len(part):6} sizes {new.cpu:8.3f} CPU, {new.elapsed:.3f} s/megapixel"
            f" {mebibytes('VmRSS'):6} MiB,"
            f" {new.cpu / alone.cpu - 1:+.0%} CPU, {new.elapsed / alone.elapsed - 1:+.0%}",
            flush=True,
        )
    print(f"{'most':>12} {mebibytes('VmHWM'):36} MiB")


def one_large(predictor: "Predictor", height: int, width: int) -> None:
    """Prints what one image costs."""
    taken = measure(predictor, [(height, width)])
    print(
        f"{height}x{width}: {taken.cpu:.0f} s CPU, {taken.elapsed:.0f} s,"
        f" at most {mebibytes('VmHWM')} MiB"
    )


def as_a_worker(int8: bool) -> None:
    """Starts this program again with a worker's environment, which some libraries read early."""
    wanted = runtime.serving_environment(workers=1, int8=int8)
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
    as_a_worker(arguments.int8)
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
