"""How many training samples a second are loaded, next to GluonCV's dataset and Gluon's DataLoader.

    python -m scripts.benchmarks.loading --data FOLDER

Both read, decode, mirror, scale, crop, blur and normalize the images of FOLDER/train with their
masks, and hand over batches as MXNet arrays: an epoch each, in turns, so that the machine's moods
meet both. GluonCV's workers are processes, as in its own script; ours are threads. CPU seconds are
those of the process and of its workers: they say what the work costs even on a machine that others
use too.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mxnet as mx
from mxnet import gluon
from mxnet.gluon.data.vision import transforms

from scripts.benchmarks.channel_dataset import ChannelDataset
from semseg.data.loading import TrainingBatches
from semseg.data.pairs import Pair, pair_up
from semseg.sagemaker.channels import Channel

BASE_SIZE = 520
BATCH_SIZE = 16
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

Epoch = Callable[[int], Iterable[tuple[Any, Any]]]


@dataclass(frozen=True)
class Speed:
    """What an epoch took: samples a second, and CPU seconds a sample."""

    throughput: float
    cpu_seconds: float


def find_pairs(data: Path) -> tuple[Pair, ...]:
    """The images to train on with their masks."""
    images, masks = (
        Channel(name, data / name, None, "File") for name in ("train", "train_annotation")
    )
    return pair_up(images, masks).pairs


def ours(pairs: Sequence[Pair], crop_size: int, workers: int) -> Epoch:
    """The package's batches, turned into MXNet arrays as its training loop does."""
    batches = TrainingBatches(pairs, BATCH_SIZE, BASE_SIZE, crop_size, workers, seed=1)

    def epoch(number: int) -> Iterable[tuple[Any, Any]]:
        for batch in batches.epoch(number):
            yield mx.nd.from_numpy(batch.images), mx.nd.from_numpy(batch.masks)

    return epoch


def gluoncvs(data: Path, crop_size: int, workers: int) -> Epoch:
    """The loader of GluonCV's training script."""
    normalize = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    dataset = ChannelDataset(
        data / "train", data / "train_annotation", "train", normalize, BASE_SIZE, crop_size
    )
    loader = gluon.data.DataLoader(
        dataset, BATCH_SIZE, shuffle=True, last_batch="rollover", num_workers=workers
    )
    return lambda number: loader


def timed(epoch: Epoch, number: int) -> Speed:
    """Goes through an epoch and takes the time."""
    count, started, cpu_started = 0, time.perf_counter(), cpu_seconds()
    for images, masks in epoch(number):
        images.wait_to_read()
        masks.wait_to_read()
        count += len(images)
    return Speed(count / (time.perf_counter() - started), (cpu_seconds() - cpu_started) / count)


def cpu_seconds() -> float:
    """CPU time of this process, its threads and its living children."""
    ticks = 0
    for child in multiprocessing.active_children():
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def compare(data: Path, crop_size: int, workers: int, repetitions: int) -> str:
    """Both in turns; returns a row of the table, medians over the epochs."""
    loaders = {
        "ours": ours(find_pairs(data), crop_size, workers),
        "theirs": gluoncvs(data, crop_size, workers),
    }
    speeds: dict[str, list[Speed]] = {name: [] for name in loaders}
    for number in range(repetitions):
        for name, epoch in loaders.items():
            speeds[name].append(timed(epoch, number))
    mine, others = speeds["ours"], speeds["theirs"]
    ratios = [m.throughput / o.throughput for m, o in zip(mine, others, strict=True)]
    cpu = [o.cpu_seconds / m.cpu_seconds for m, o in zip(mine, others, strict=True)]
    cells = [
        str(crop_size),
        str(workers),
        f"{statistics.median(one.throughput for one in mine):.0f}",
        f"{statistics.median(one.throughput for one in others):.0f}",
        f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})",
        f"{statistics.median(cpu):.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def memory(data: Path, crop_size: int, workers: int, epochs: int) -> str:
    """Goes through our epochs alone; returns the process' memory after each, in MB."""
    epoch = ours(find_pairs(data), crop_size, workers)
    sizes = []
    for number in range(epochs):
        timed(epoch, number)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        sizes.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
    return f"MB after each epoch: {' '.join(f'{size:.0f}' for size in sizes)}"


def main() -> None:
    """Reads the arguments and prints the table."""
    parser = argparse.ArgumentParser(description="Compare the loader with GluonCV's.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the four channels")
    parser.add_argument("--crop-sizes", type=int, nargs="+", default=[240, 480])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument(
        "--memory", type=int, metavar="EPOCHS", help="measure memory instead, over so many epochs"
    )
    arguments = parser.parse_args()
    if arguments.memory:
        sizes = (max(arguments.crop_sizes), max(arguments.workers))
        print(memory(arguments.data, *sizes, arguments.memory))
        return
    print("| crop | workers | images/s | GluonCV images/s | ratio | CPU seconds, ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for crop_size in arguments.crop_sizes:
        for workers in arguments.workers:
            print(compare(arguments.data, crop_size, workers, arguments.repetitions), flush=True)


if __name__ == "__main__":
    main()
