"""What can be wrong with a dataset, and one message that tells all of it.

SageMaker shows a customer the first 1024 characters of a failure, so the message begins with what
helps most: how many problems of which kind, a guess at their common cause, and then the files.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from semseg.data.sources import Source, StreamRecord, place
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.errors import CustomerError

_SHOWN = 20


class Kind(Enum):
    """The kinds of problem, each with its name for one and for several, most basic kind first."""

    LABEL_MAP = ("mistake in a label map", "mistakes in label maps")
    COLOUR_MAP = ("mistake in a colour map", "mistakes in colour maps")
    MISSING_CHANNEL = ("missing channel", "missing channels")
    EMPTY_CHANNEL = ("empty channel", "empty channels")
    TOO_FEW_IMAGES = ("mini batch larger than the dataset", "mini batches larger than the dataset")
    UNREADABLE = ("unreadable file", "unreadable files")
    BROKEN_RECORD = ("broken record", "broken records")
    ODD_RECORDS = ("record without a partner", "records without a partner")
    MIXED_UP = ("mask where an image should be", "masks where an image should be")
    IMAGE_WITHOUT_MASK = ("image without a mask", "images without a mask")
    MASK_WITHOUT_IMAGE = ("mask without an image", "masks without an image")
    SAME_NAME = ("name used twice", "names used twice")
    NOT_A_MASK = ("mask that is no single-channel PNG", "masks that are no single-channel PNGs")
    OTHER_SIZE = ("mask of another size", "masks of another size")
    OTHER_COLOURS = ("mask with colours not in the map", "masks with colours not in the map")
    NO_COLOURS = ("picture that is no mask in colour", "pictures that are no masks in colour")
    OVERWRITTEN = ("file that would be overwritten", "files that would be overwritten")
    UNMAPPED_VALUE = ("mask with values in no mapping", "masks with values in no mapping")
    LABEL_TOO_LARGE = ("mask with labels >= num_classes", "masks with labels >= num_classes")


@dataclass(frozen=True)
class Problem:
    """One thing to put right: where (`train/a.jpg`), and in `text` what is wrong and the remedy."""

    kind: Kind
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def in_channel(channel: Channel, source: Source) -> str:
    """A source as the customer knows it: `train/a.jpg`, or `train_0, record 7 at byte 8192`."""
    if isinstance(source, StreamRecord):
        return str(source)
    path = source if isinstance(source, Path) else source.path
    name = printable((Path(channel.name) / path.relative_to(channel.path)).as_posix())
    return name if isinstance(source, Path) else f"{name}, {place(source)}"


def printable(name: Source | str) -> str:
    """A file name fit for a log, whatever bytes it is made of."""
    return os.fsencode(str(name)).decode("utf-8", "backslashreplace")


def message(problems: Sequence[Problem], hints: Sequence[str] = (), others: str = "") -> str:
    """All problems in one text: the counts, the hints, the first twenty by name, how many more.

    `others` says where those that are not shown can be seen.
    """
    counts = Counter(problem.kind for problem in problems)
    parts = [f"{counts[kind]} {kind.value[counts[kind] > 1]}" for kind in Kind if counts[kind]]
    total = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = [f"{total} in the data: {', '.join(parts)}.", *hints]
    in_order = sorted(problems, key=_as_people_count)
    lines += [str(problem) for problem in in_order[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"... and {len(problems) - _SHOWN} more{others}")
    return "\n".join(lines)


def too_few_images(where: str, count: int, mini_batch_size: int, hosts: int = 1) -> Problem:
    """Fewer images than one batch takes, or one batch on each of several hosts."""
    images = "1 image" if count == 1 else f"{count} images"
    each = f" on each of {hosts} hosts" if hosts > 1 else ""
    fitting = (
        f"set mini_batch_size to {count // hosts} or less" if count >= hosts else "use fewer hosts"
    )
    text = (
        f"{images}, fewer than mini_batch_size={mini_batch_size}{each}: add images, or {fitting}."
    )
    return Problem(Kind.TOO_FEW_IMAGES, where, text)


class UnsoundData(CustomerError):
    """A dataset that cannot be used: all `problems` in it, and `hints` at what they come from."""

    def __init__(self, problems: Sequence[Problem], hints: Sequence[str] = ()) -> None:
        super().__init__(message(problems, hints))
        self.problems = tuple(problems)
        self.hints = tuple(hints)


def _as_people_count(problem: Problem) -> tuple[bool, list[str | int]]:
    """By name, what concerns whole channels first, and record 10 after record 9."""
    parts = re.split(r"(\d+)", problem.where, flags=re.ASCII)  # text and numbers by turns
    return _of_files(problem.kind), [int(part) if n % 2 else part for n, part in enumerate(parts)]


def _of_files(kind: Kind) -> bool:
    """Whether a problem is one image's or mask's, and so comes after those of a whole channel."""
    return kind not in _OF_CHANNELS


_OF_CHANNELS = (
    Kind.LABEL_MAP,
    Kind.COLOUR_MAP,
    Kind.MISSING_CHANNEL,
    Kind.EMPTY_CHANNEL,
    Kind.TOO_FEW_IMAGES,
)
