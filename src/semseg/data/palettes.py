"""Palettes: their colours mean nothing to training, but tell where indices are no class numbers.

Some tools number a palette anew for each mask. Its indices then look like labels, and only the
colours, which are the same everywhere, give away that they are not: Ground Truth itself wrote such
masks for a while (amazon-sagemaker-examples, pull request 1506).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from semseg.data.augmentation import IGNORE

Colours = dict[int, int]


def colours_in_use(picture: Image.Image, pixels: Sequence[int]) -> Colours:
    """The colours, 0xrrggbb, of those indices of a palette picture that have pixels.

    Empty where the picture has no palette, or one that gives two of the indices the same colour and
    so cannot be what tells classes apart. 255, which is ignored, is left out.
    """
    palette = picture.getpalette("RGB") if picture.mode == "P" else None
    if palette is None:
        return {}
    used = [index for index in range(min(len(palette) // 3, IGNORE)) if pixels[index]]
    colours = {
        index: palette[3 * index] << 16 | palette[3 * index + 1] << 8 | palette[3 * index + 2]
        for index in used
    }
    return colours if len(set(colours.values())) == len(used) else {}


@dataclass(frozen=True)
class Place:
    """Where a colour was seen: the index of a palette, and the mask."""

    index: int
    where: str


class Comparison:
    """The palettes of many masks beside each other."""

    def __init__(self) -> None:
        self._first: dict[int, Place] = {}
        self.difference: str | None = None
        """The first colour that has two indices, in a sentence."""

    def add(self, where: str, colours: Colours) -> None:
        """Take in the colours that a mask uses."""
        for index, colour in colours.items():
            first = self._first.setdefault(colour, Place(index, where))
            if first.index != index and self.difference is None:
                self.difference = (
                    f"The colour #{colour:06x} has index {first.index} in {first.where} and index"
                    f" {index} in {where}: these palettes are numbered in different ways, and"
                    " labels are the indices."
                )
