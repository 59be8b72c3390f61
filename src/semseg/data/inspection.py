"""One image and its mask, opened and judged."""

from dataclasses import dataclass
from pathlib import Path

from semseg.data.augmentation import IGNORE
from semseg.data.decoding import sizes_differ
from semseg.data.images import (
    ColourMask,
    ImageError,
    NotAMask,
    OtherFormat,
    as_mask,
    open_image,
    read_image,
)
from semseg.data.label_maps import DEFAULT, LabelMap, UnmappedValue
from semseg.data.mixups import MIXED_UP, is_mixed_up
from semseg.data.pairs import Pair
from semseg.data.palettes import Colours, colours_in_use
from semseg.data.problems import Kind, Problem, in_channel
from semseg.data.sources import Source
from semseg.sagemaker.channels import Channel

_LABELS_NAMED = 5
_NO_MASK = (
    " If it is an image, its place is a mask's: leave out the lines of the manifest that have no"
    " mask, and let AttributeNames name the image first and the mask second."
)


class Finding:
    """What one or two files are like.

    `problems` is what is wrong with them, `pixels` how many pixels of the mask have which label,
    `size` width and height of the image. `palette` holds the colours of the indices that a mask
    uses, `colours` how many there are in a mask whose colours are classes; `mask` is its name.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.pixels = [0] * 256
        self.size: tuple[int, int] | None = None
        self.mask = ""
        self.palette: Colours = {}
        self.colours = 0


@dataclass(frozen=True)
class Inspector:
    """Judges the files of an image channel and its annotation channel; threads may share it.

    For records both are the same channel.
    """

    images: Channel
    masks: Channel
    num_classes: int
    label_map: LabelMap = DEFAULT

    def pair(self, pair: Pair) -> Finding:
        """Decode both files to their ends; the mask must have the image's size."""
        finding = Finding()
        if self._is_mixed_up(pair):
            where = in_channel(self.images, pair.image)
            finding.problems.append(Problem(Kind.MIXED_UP, where, MIXED_UP))
        else:
            self._read_image(pair.image, finding)
            self._read_mask(pair.mask, finding)
        return finding

    def lone_image(self, source: Source) -> Finding:
        """Decode an image that has no mask: it may be damaged all the same."""
        finding = Finding()
        self._read_image(source, finding)
        return finding

    def lone_mask(self, source: Source) -> Finding:
        """Decode a mask that has no image, and look at its labels."""
        finding = Finding()
        self._read_mask(source, finding)
        return finding

    def _is_mixed_up(self, pair: Pair) -> bool:
        """Files are told by their channels, records by nothing but their turn."""
        return not isinstance(pair.image, Path) and is_mixed_up(pair, self.num_classes)

    def _read_image(self, source: Source, finding: Finding) -> None:
        try:
            finding.size = read_image(source).size
        except ImageError as error:
            where, text = in_channel(self.images, source), f"{error} {_remedy(source, 'mask')}"
            finding.problems.append(Problem(Kind.UNREADABLE, where, text))

    def _read_mask(self, source: Source, finding: Finding) -> None:
        finding.mask = in_channel(self.masks, source)

        def note(kind: Kind, text: str) -> None:
            finding.problems.append(Problem(kind, finding.mask, text))

        try:
            picture = open_image(source)
            if finding.size is not None and picture.size != finding.size:
                note(Kind.OTHER_SIZE, sizes_differ(picture.size, finding.size))
            values = as_mask(picture).histogram()
            finding.pixels = self.label_map.count(values)
            finding.palette = colours_in_use(picture, values)
            self.label_map.check(values)
            if any(finding.pixels[self.num_classes : IGNORE]):
                note(Kind.LABEL_TOO_LARGE, self._too_large(values, finding.palette))
        except UnmappedValue as error:
            note(Kind.UNMAPPED_VALUE, str(error))
        except ColourMask as error:
            finding.colours = error.colours
            note(Kind.NOT_A_MASK, str(error))
        except OtherFormat as error:
            note(Kind.NOT_A_MASK, f"{error}{_NO_MASK * (not isinstance(source, Path))}")
        except NotAMask as error:
            note(Kind.NOT_A_MASK, str(error))
        except ImageError as error:
            note(Kind.UNREADABLE, f"{error} {_remedy(source, 'image')}")

    def _too_large(self, values: list[int], palette: Colours) -> str:
        """`labels 12 (340 pixels), 13 (1 pixel) are too large: with num_classes=11 ...`."""
        found = [
            (label, value)
            for value, label in enumerate(self.label_map.labels)
            if label is not None and self.num_classes <= label < IGNORE and values[value]
        ]
        named = ", ".join(
            f"{label} ({self._described(value, values[value], palette)})"
            for label, value in found[:_LABELS_NAMED]
        )
        more = len(found) - _LABELS_NAMED
        return (
            f"label{'s' * (len(found) > 1)} {named}{f' and {more} more' * (more > 0)}:"
            f" with num_classes={self.num_classes}, labels are 0..{self.num_classes - 1},"
            " or 255 to ignore."
        )

    def _described(self, value: int, pixels: int, palette: Colours) -> str:
        """`value 15, 340 pixels of #2acf59`, as far as there is a map and a palette."""
        mapped = "" if self.label_map.is_identity else f"value {value}, "
        colour = f" of #{palette[value]:06x}" if value in palette else ""
        return f"{mapped}{pixels} pixel{'s' * (pixels > 1)}{colour}"


def _remedy(source: Source, partner: str) -> str:
    if isinstance(source, Path):
        return f"Replace the file, or remove it and its {partner}."
    return f"Replace the record, or leave it out together with its {partner}."
