"""Colours as numbers, 0xrrggbbaa, so that NumPy can count them and people can read them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

Codes = npt.NDArray[np.uint32]

TRANSPARENT = 0
_NAMED = 5


def code_of(red: int, green: int, blue: int, alpha: int = 255) -> int:
    """The number of a colour; what is wholly transparent has no colour."""
    return (red << 24 | green << 16 | blue << 8 | alpha) if alpha else TRANSPARENT


def codes_of(picture: Image.Image) -> Codes:
    """The colour of each pixel, uint32 (H, W), of a picture in any mode that Pillow makes RGBA."""
    pixels = np.asarray(picture.convert("RGBA"))
    codes = pixels.view(">u4")[..., 0].astype(np.uint32)
    codes[pixels[..., 3] == 0] = TRANSPARENT
    return codes


def channels_of(codes: Codes) -> npt.NDArray[np.uint8]:
    """Red, green, blue and alpha, uint8 (..., 4), of colours (...)."""
    return codes.astype(">u4")[..., None].view(np.uint8)


def name_of(code: int) -> str:
    """`#ff0000`, `#ff000080` where it is half transparent, or `transparent`."""
    if code == TRANSPARENT:
        return "transparent"
    return f"#{code >> 8:06x}" if code & 255 == 255 else f"#{code:08x}"


def by_frequency(codes: Codes) -> list[tuple[int, int]]:
    """Each colour with its number of pixels, the commonest first."""
    found, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return list(zip(found[order].tolist(), counts[order].tolist(), strict=True))


def named(colours: Sequence[tuple[int, int]]) -> str:
    """The first few of some colours, given with their pixels: `#000000, #ff0000, ...`."""
    names = ", ".join(name_of(code) for code, _ in colours[:_NAMED])
    return f"{names}, ..." if len(colours) > _NAMED else names
