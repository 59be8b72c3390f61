"""Open every file of a dataset and note everything that is wrong with it.

Training does this before it builds a network: a bad file found in the third hour costs three hours,
and one problem at a time costs a job each. All images and masks are decoded to their ends, by
several threads (Pillow lets go of Python's lock while it decodes).
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from tqdm import tqdm

from semseg.data.inspection import Finding, Inspector
from semseg.data.pairs import Pair, Pairing, pair_up
from semseg.data.problems import Problem
from semseg.sagemaker.channels import Channel, Channels

Task = Callable[[], Finding]
Listed = Callable[[str], None]
Run = Callable[[Sequence[Task]], Iterator[Finding]]


@dataclass(frozen=True)
class Split:
    """One part of a dataset: its pairs, the number of its images (with or without a mask), what is
    wrong, and the pixels of its masks by value: 256 counts, the last one being "ignore".
    """

    name: str
    pairs: tuple[Pair, ...]
    images: int
    problems: tuple[Problem, ...]
    pixels: tuple[int, ...]


@dataclass(frozen=True)
class Report:
    """What `scan` found."""

    num_classes: int
    train: Split
    validation: Split

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Those of both parts."""
        return self.train.problems + self.validation.problems

    @property
    def pixels(self) -> tuple[int, ...]:
        """Pixels by value, of both parts."""
        both = zip(self.train.pixels, self.validation.pixels, strict=True)
        return tuple(train + validation for train, validation in both)


def scan(
    channels: Channels,
    num_classes: int,
    progress: bool = False,
    listed: Listed = lambda part: None,
) -> Report:
    """Read the whole dataset. `progress` shows a bar, where standard error is a terminal.

    `listed` is called with each part's name once its files are listed, before any is opened.
    """
    train_masks, validation_masks = channels.train_annotation, channels.validation_annotation
    if train_masks is None or validation_masks is None:
        raise ValueError("records are not pairs of files")
    train = pair_up(channels.train, train_masks)
    listed("train")
    validation = pair_up(channels.validation, validation_masks)
    listed("validation")
    with _threads(_files(train) + _files(validation), progress) as run:
        return Report(
            num_classes,
            _split(channels.train, train_masks, train, num_classes, run),
            _split(channels.validation, validation_masks, validation, num_classes, run),
        )


def _files(found: Pairing) -> int:
    """How many tasks there are: a pair is one."""
    return len(found.pairs) + len(found.lone_images) + len(found.lone_masks)


def _split(images: Channel, masks: Channel, found: Pairing, num_classes: int, run: Run) -> Split:
    inspect = Inspector(images, masks, num_classes)
    tasks: list[Task] = [partial(inspect.pair, pair) for pair in found.pairs]
    tasks += [partial(inspect.lone_image, path) for path in found.lone_images]
    tasks += [partial(inspect.lone_mask, path) for path in found.lone_masks]
    problems = list(found.problems)
    pixels = np.zeros(256, np.int64)
    for finding in run(tasks):
        problems += finding.problems
        pixels += finding.pixels
    count = len(found.pairs) + len(found.lone_images)
    return Split(images.name, found.pairs, count, tuple(problems), tuple(pixels.tolist()))


@contextmanager
def _threads(total: int, progress: bool) -> Iterator[Run]:
    """Something that runs tasks in threads and yields what they return, in order."""
    # Somewhat more threads than processors: FastFile mode fetches each file from S3 as it is read.
    pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)) + 4, "semseg-check")
    shown = progress and sys.stderr.isatty()
    with tqdm(total=total, desc="Checking the data", unit="image", disable=not shown) as bar:

        def run(tasks: Sequence[Task]) -> Iterator[Finding]:
            for finding in pool.map(lambda task: task(), tasks):
                bar.update()
                yield finding

        try:
            yield run
        finally:
            pool.shutdown(cancel_futures=True)
