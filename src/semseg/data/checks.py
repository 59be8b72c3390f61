"""The dataset of a job, sound or refused: what training asks before it builds a network."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from semseg.data.augmentation import IGNORE
from semseg.data.pairs import Pair
from semseg.data.problems import Kind, Problem, message
from semseg.data.scan import Listed, Report, scan
from semseg.sagemaker.channels import Channels
from semseg.sagemaker.errors import CustomerError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dataset:
    """Pairs whose every file was read to its end and found sound."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]


def check_datasets(
    channels: Channels,
    num_classes: int,
    mini_batch_size: int,
    num_training_samples: int,
    progress: bool = False,
    listed: Listed = lambda part: None,
) -> Dataset:
    """Read the whole dataset; raise one `CustomerError` with every problem in it.

    `progress` and `listed` are `scan`'s.

    A `num_training_samples` that differs from the number of training images is only warned of: the
    original, too, takes its learning rate schedule from the hyperparameter, not from the files.
    """
    report = scan(channels, num_classes, progress, listed)
    problems = [*report.problems, *_too_few_images(report, mini_batch_size)]
    if problems:
        raise CustomerError(message(problems, hints(report)))
    _warn(report, num_training_samples)
    return Dataset(report.train.pairs, report.validation.pairs)


def hints(report: Report) -> list[str]:
    """What the labels of the whole dataset look like, where some of them are too large."""
    labels = [label for label, pixels in enumerate(report.pixels[:IGNORE]) if pixels]
    if not labels or labels[-1] < report.num_classes:
        return []
    largest, needed = labels[-1], labels[-1] + 1
    if labels[0] > 0 and largest == report.num_classes:
        return [f"Labels seem to be counted from 1 to {largest}: subtract 1 from each of them."]
    if {*labels} == {0, largest} and report.num_classes == 2:
        return [f"Labels are only 0 and {largest}: for two classes, turn {largest} into 1."]
    if needed >= IGNORE:
        return [f"The largest label is {largest}, and num_classes is at most 254: are these masks?"]
    return [f"The largest label is {largest}: if that is right, num_classes must be {needed}."]


def _too_few_images(report: Report, mini_batch_size: int) -> Iterator[Problem]:
    count = report.train.images
    if 0 < count < mini_batch_size:
        images = "1 image" if count == 1 else f"{count} images"
        text = (
            f"{images}, fewer than mini_batch_size={mini_batch_size}:"
            f" add images, or set mini_batch_size to {count} or less."
        )
        yield Problem(Kind.TOO_FEW_IMAGES, report.train.name, text)


def _warn(report: Report, num_training_samples: int) -> None:
    count = len(report.train.pairs)
    if num_training_samples != count:
        _LOG.warning(
            "num_training_samples is %d, but there are %d training images;"
            " the learning rate schedule follows num_training_samples.",
            num_training_samples,
            count,
        )
    if report.pixels[IGNORE] and not any(report.pixels[1:IGNORE]):
        _LOG.warning(
            "All masks hold nothing but 0 and 255, and 255 means 'ignore': only class 0 is learned."
            " If 255 stands for a class, give it that class's number."
        )
