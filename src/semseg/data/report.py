"""What reading the whole dataset has shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from semseg.data.label_maps import DEFAULT, LabelMap
from semseg.data.pairs import Pair
from semseg.data.problems import Problem


@dataclass(frozen=True)
class Split:
    """One part of a dataset.

    `images` and `masks` count files, with or without a partner; `sizes` are width and height of
    those images that could be read. `pixels` and `images_with` have 256 entries, by label: the
    pixels that have it, and the masks that have such pixels; the last entry is "ignore".
    """

    name: str
    pairs: tuple[Pair, ...]
    images: int
    masks: int
    sizes: tuple[tuple[int, int], ...]
    pixels: tuple[int, ...]
    images_with: tuple[int, ...]
    problems: tuple[Problem, ...]
    annotation: str | None
    """The channel of the masks; None where they are records among the images."""
    label_map: LabelMap = DEFAULT
    colours: int = 0
    """The most colours that a mask has whose colours tell the classes; 0 where there is none."""
    palettes: bool = False
    """Whether masks with labels that are too large have palettes that could tell the classes."""


@dataclass(frozen=True)
class Report:
    """What `scan` found, part by part, and in what the palettes of the masks differ, if they do."""

    num_classes: int
    splits: tuple[Split, ...]
    palette_difference: str | None = field(default=None)

    @property
    def train(self) -> Split:
        """What is trained on. Raises KeyError where that does not come as files."""
        return self.split("train")

    @property
    def validation(self) -> Split:
        """What is validated on. Raises KeyError where that does not come as files."""
        return self.split("validation")

    def split(self, name: str) -> Split:
        """The part of that name."""
        return {split.name: split for split in self.splits}[name]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Those of all parts."""
        return tuple(problem for split in self.splits for problem in split.problems)

    @property
    def pixels(self) -> tuple[int, ...]:
        """Pixels by label, of all parts."""
        return total([split.pixels for split in self.splits])


def total(counts: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The sums of several counts by label."""
    return tuple(map(sum, zip([0] * 256, *counts, strict=True)))
