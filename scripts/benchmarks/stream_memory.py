"""The memory of a process that makes training batches of a long stream.

    python -m scripts.benchmarks.stream_memory --pairs 20000

Another process writes pairs of image and mask, all of them different, into a FIFO as SageMaker's
Pipe mode does; this one reads, decodes, augments and batches them, and prints its resident memory
on the way.
"""

import argparse
import io
import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from semseg.data.streaming import StreamedTraining
from semseg.data.streams import Stream
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.recordio import frame

CLASSES = 21
BATCH_SIZE, BASE_SIZE, CROP_SIZE = 16, 520, 240
WIDTH, HEIGHT = 480, 360
PICTURES = 50  # encoded once; each pair of the stream is one of them with bytes of its own behind


def write(fifo: Path, pairs: int, padding: int) -> None:
    """Makes the FIFO and writes the pairs; `padding` random bytes follow each image."""
    rng = np.random.default_rng(0)
    images, masks = zip(*(_picture(rng) for _ in range(PICTURES)), strict=True)
    os.mkfifo(fifo)
    with fifo.open("wb") as stream:
        for number in range(pairs):
            stream.write(frame(images[number % PICTURES], rng.bytes(padding)))
            stream.write(frame(masks[number % PICTURES]))


def measure(pairs: int, padding: int, workers: int, every: int = 1000) -> Iterator[tuple[int, int]]:
    """The number of pairs in batches so far, and the resident memory in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        channel = Channel("train", Path(folder) / "train", None, "Pipe", holds_records=True)
        arguments = (channel.fifo(0), pairs, padding)
        writer = multiprocessing.get_context("spawn").Process(target=write, args=arguments)
        writer.start()
        batches = StreamedTraining(
            Stream(channel, CLASSES), BATCH_SIZE, BASE_SIZE, CROP_SIZE, workers, seed=0
        )
        told = 0
        for number, _ in enumerate(batches.epoch(0), start=1):
            if number * BATCH_SIZE >= told + every:
                told += every
                yield number * BATCH_SIZE, resident_memory()
        writer.join()


def resident_memory() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _picture(rng: np.random.Generator) -> tuple[bytes, bytes]:
    """An image file of smooth noise and a mask file, made of few large squares."""
    coarse = rng.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    labels = rng.integers(0, CLASSES, (HEIGHT // 40, WIDTH // 40), np.uint8)
    image, mask = io.BytesIO(), io.BytesIO()
    Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).save(image, "JPEG")
    Image.fromarray(labels).resize((WIDTH, HEIGHT), Image.Resampling.NEAREST).save(mask, "PNG")
    return image.getvalue(), mask.getvalue()


def main() -> None:
    """Streams and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--padding", type=int, default=50_000, help="bytes more for each image")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    print(f"before the first pair: {resident_memory() / 1e6:.0f} MB")
    for pairs, memory in measure(options.pairs, options.padding, options.workers):
        print(f"after {pairs} pairs: {memory / 1e6:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
