"""One mask whose colours are classes to one whose pixel values are class numbers."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from semseg.data.colour_map import ColourMap
from semseg.data.colours import by_frequency, channels_of, codes_of, name_of
from semseg.data.images import NotAMask

_GREY = ("1", "L", "LA")
_IN_COLOUR = ("P", "PA", "RGB", "RGBA")
_NAMED = 5


class OtherColours(NotAMask):
    """A mask has colours that the map does not hold; `colours` is how many."""

    def __init__(self, text: str, colours: int) -> None:
        super().__init__(text)
        self.colours = colours


@dataclass(frozen=True)
class Converted:
    """A mask of mode "P" whose indices are class numbers; `nearest` pixels had other colours."""

    mask: Image.Image
    nearest: int

    def encoded(self) -> bytes:
        """The PNG of the mask, with 8 bits a pixel; the same bytes for the same mask."""
        file = BytesIO()
        self.mask.save(file, "PNG", bits=8)
        return file.getvalue()


def convert(picture: Image.Image, colour_map: ColourMap, nearest: bool) -> Converted:
    """The mask of class numbers for a picture in which colours, a palette's too, tell the classes.

    Where a colour is not in the map, the nearest one that is decides, if that is wanted. Raises
    `OtherColours` if not, and `NotAMask` for a picture that is not in colour.
    """
    if picture.mode not in (*_GREY, *_IN_COLOUR):
        raise NotAMask(f"The picture is of the kind {picture.mode}, and no mask in colour.")
    codes = codes_of(picture)
    labels, other = colour_map.look_up(codes)
    if other.any():
        if picture.mode in _GREY and not _has_grey(colour_map):
            raise NotAMask(_grey(np.asarray(picture.convert("L"))))
        found, places = np.unique(codes[other], return_inverse=True)
        if not nearest:
            raise OtherColours(_others(by_frequency(codes[other]), codes.size), len(found))
        labels[other] = colour_map.nearest(found)[places]
    mask = Image.fromarray(labels)
    mask.putpalette(colour_map.palette)  # which makes its mode "P"
    return Converted(mask, int(other.sum()))


def _has_grey(colour_map: ColourMap) -> bool:
    """Whether a class other than the ground is shown in a shade of grey."""
    codes = [one.colour for one in colour_map.classes if one.number != colour_map.ground]
    channels = channels_of(np.array(codes, np.uint32))
    return bool((channels[:, :3] == channels[:, :1]).all(axis=1).any())


def _grey(values: npt.NDArray[np.uint8]) -> str:
    found = np.unique(values).tolist()
    more = ", ..." if len(found) > _NAMED else ""
    return (
        f"The picture is greyscale with the values {', '.join(map(str, found[:_NAMED]))}{more},"
        " which may be class numbers already: leave it as it is (a label map can renumber it)."
    )


def _others(colours: list[tuple[int, int]], pixels: int) -> str:
    """`12 of 400 pixels have 3 colours that are not in the map: #7f0000 (8), ...`."""
    total = sum(count for _, count in colours)
    named = ", ".join(f"{name_of(code)} ({count})" for code, count in colours[:_NAMED])
    more = f" and {len(colours) - _NAMED} more" * (len(colours) > _NAMED)
    kinds = "a colour that is" if len(colours) == 1 else f"{len(colours)} colours that are"
    return f"{total} of {pixels} pixels have {kinds} not in the map: {named}{more}."
