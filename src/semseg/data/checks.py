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
from semseg.data.problems import Problem, UnsoundData, too_few_images
from semseg.data.report import Report, Split
from semseg.data.scan import Listed, parts_of, scan
from semseg.data.streams import PIPE_SECONDS, Stream
from semseg.sagemaker.channels import Channels

_CLASSES_NAMED = 10

_LOG = logging.getLogger(__name__)


Pairs = tuple[Pair, ...]


@dataclass(frozen=True)
class Dataset:
    """Pairs whose every file was read to its end and found sound; no `test` where none is given.

    What arrives in Pipe mode is a stream instead, and found sound or not while it is used.
    """

    train: Pairs | Stream
    validation: Pairs | Stream
    test: Pairs | Stream = ()

    def facts(self) -> dict[str, str]:
        """What tells this dataset from another: how many pairs, which names, which label maps."""
        facts = {}
        for part, data in (("training", self.train), ("validation", self.validation)):
            if isinstance(data, Stream):
                facts[f"{part} images"] = "streamed"
                facts[f"{part} label map"] = str(data.label_map.given)
            else:
                names = "\0".join(pair.name for pair in data)
                facts[f"{part} images"] = str(len(data))
                facts[f"names of {part} images"] = sha256(os.fsencode(names)).hexdigest()[:16]
                facts[f"{part} label map"] = str(data[0].label_map.given)
        return facts


def check_datasets(
    channels: Channels,
    num_classes: int,
    mini_batch_size: int,
    num_training_samples: int,
    label_maps: LabelMaps = DEFAULT_MAPS,
    progress: bool = False,
    listed: Listed = lambda part: None,
    pipe_seconds: float = PIPE_SECONDS,
    hosts: int = 1,
) -> Dataset:
    """Read the whole dataset, streams excepted; raise one `UnsoundData` with every problem in it.

    `progress` and `listed` are `scan`'s, `pipe_seconds` is `Stream`'s. Each of so
    many `hosts` takes batches of its own.

    A `num_training_samples` that differs from the number of training images is only warned of: the
    original, too, takes its learning rate schedule from the hyperparameter, not from the files.
    """
    parts = parts_of(channels, label_maps)
    report = scan(parts, num_classes, progress, listed)
    problems = [*report.problems, *_too_few_images(report, mini_batch_size, hosts)]
    if problems:
        raise UnsoundData(problems, hints(report))
    for split in report.splits:
        if split.name == "train":
            warn_of_other_count(num_training_samples, len(split.pairs))
    for warning in warnings(report):
        _LOG.warning("%s", warning)
    pairs: dict[str, Pairs | Stream] = {split.name: split.pairs for split in report.splits}
    streams = {
        part.name: Stream(part.images, num_classes, part.label_map, pipe_seconds)
        for part in parts
        if part.images.is_pipe
    }
    return Dataset(**pairs, **streams)


def warn_of_other_count(num_training_samples: int, count: int) -> None:
    """Warn where the hyperparameter is not the number of training images."""
    if num_training_samples != count:
        _LOG.warning(
            "num_training_samples is %d, but there are %d training images;"
            " the learning rate schedule follows num_training_samples.",
            num_training_samples,
            count,
        )


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


def _too_few_images(report: Report, mini_batch_size: int, hosts: int) -> Iterator[Problem]:
    for split in report.splits:
        if split.name == "train" and 0 < split.images < mini_batch_size * hosts:
            yield too_few_images(split.name, split.images, mini_batch_size, hosts)
