"""The dataset of a job, sound or refused: what training asks before it builds a network."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from semseg.data.augmentation import IGNORE
from semseg.data.hints import conversion, hints
from semseg.data.label_map_files import DEFAULT_MAPS, LabelMaps
from semseg.data.pairs import Pair
from semseg.data.problems import Kind, Problem, UnsoundData
from semseg.data.report import Report, Split
from semseg.data.scan import Listed, parts_of, scan
from semseg.sagemaker.channels import Channels

_CLASSES_NAMED = 10

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dataset:
    """Pairs whose every file was read to its end and found sound; no `test` where none is given."""

    train: tuple[Pair, ...]
    validation: tuple[Pair, ...]
    test: tuple[Pair, ...] = ()

    def facts(self) -> dict[str, str]:
        """What tells this dataset from another: how many pairs, which names, which label maps."""
        facts = {}
        for part, pairs in (("training", self.train), ("validation", self.validation)):
            names = "\0".join(pair.name for pair in pairs)
            facts[f"{part} images"] = str(len(pairs))
            facts[f"names of {part} images"] = sha256(os.fsencode(names)).hexdigest()[:16]
            facts[f"{part} label map"] = str(pairs[0].label_map.given)
        return facts


def check_datasets(
    channels: Channels,
    num_classes: int,
    mini_batch_size: int,
    num_training_samples: int,
    label_maps: LabelMaps = DEFAULT_MAPS,
    progress: bool = False,
    listed: Listed = lambda part: None,
) -> Dataset:
    """Read the whole dataset; raise one `UnsoundData` with every problem in it.

    `progress` and `listed` are `scan`'s.

    A `num_training_samples` that differs from the number of training images is only warned of: the
    original, too, takes its learning rate schedule from the hyperparameter, not from the files.
    """
    report = scan(parts_of(channels, label_maps), num_classes, progress, listed)
    problems = [*report.problems, *_too_few_images(report, mini_batch_size)]
    if problems:
        raise UnsoundData(problems, hints(report))
    count = len(report.train.pairs)
    if num_training_samples != count:
        _LOG.warning(
            "num_training_samples is %d, but there are %d training images;"
            " the learning rate schedule follows num_training_samples.",
            num_training_samples,
            count,
        )
    for warning in warnings(report):
        _LOG.warning("%s", warning)
    pairs = {split.name: split.pairs for split in report.splits}
    return Dataset(**pairs)


def warnings(report: Report) -> Iterator[str]:
    """What is odd about a dataset that can be trained on all the same."""
    if report.pixels[IGNORE] and not any(report.pixels[1:IGNORE]):
        yield (
            "All masks hold nothing but 0 and 255, and 255 means 'ignore': only class 0 is learned."
            " If 255 stands for a class, give it that class's number, or a label map:"
            ' {"map": {"0": 0, "1": 255}}'
        )
    else:
        for split in report.splits:
            yield from _absent_classes(split, report.num_classes)
    if report.palette_difference:
        yield (
            f"{report.palette_difference} If the colours tell the classes, convert the masks:"
            f" {conversion(report.splits[0].annotation)}"
        )


def _absent_classes(split: Split, num_classes: int) -> Iterator[str]:
    absent = [str(label) for label in range(num_classes) if not split.pixels[label]]
    if absent and split.masks:
        more = ", ..." if len(absent) > _CLASSES_NAMED else ""
        named = ", ".join(absent[:_CLASSES_NAMED]) + more
        follows = "cannot be learned" if split.name == "train" else "counts 0 in mIOU"
        yield f"No mask of {split.name} has a pixel of class {named}, which {follows}."


def _too_few_images(report: Report, mini_batch_size: int) -> Iterator[Problem]:
    count = report.train.images
    if 0 < count < mini_batch_size:
        images = "1 image" if count == 1 else f"{count} images"
        text = (
            f"{images}, fewer than mini_batch_size={mini_batch_size}:"
            f" add images, or set mini_batch_size to {count} or less."
        )
        yield Problem(Kind.TOO_FEW_IMAGES, report.train.name, text)
