"""One file to pixels: images for the network, masks for the loss.

Pixels are those of `np.array(Image.open(file))`, with which a mask is compared: an EXIF orientation
is applied to a TIFF, where Pillow does so itself, and to nothing else. Transparency is dropped, as
`convert("RGB")` drops it; of an animation or a multi-picture file the first picture counts.

Only whole files are read. Whatever Pillow may raise on a broken one becomes an `ImageError`, whose
text is one plain sentence without a path: the caller knows the path, and bytes have none.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Protocol, runtime_checkable

import numpy as np
from PIL import Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from semseg.data import png, tiff
from semseg.data.colours import by_frequency, codes_of, named
from semseg.data.pillow import FORMATS

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_MASK_MODES = ("L", "P", "1")
# What is wrong with the file itself, and the owner can mend; all else is the machine's fault.
_NOT_TO_BE_HAD = {
    errno.ENOENT: "There is no such file, or it is a link to nothing.",
    errno.EACCES: "The file may not be read: its permissions forbid it.",
    errno.EPERM: "The file may not be read: its permissions forbid it.",
    errno.ELOOP: "The file is a link that leads back to itself.",
    errno.EISDIR: "This is a folder with the name of a file.",
}
_A_MASK_IS = "a mask must be an 8-bit PNG with a single channel whose values are class numbers"


@runtime_checkable
class Stored(Protocol):
    """Something that has bytes to read: a path, or a record."""

    def read_bytes(self) -> bytes:
        """All of them."""


class ImageError(ValueError):
    """An image or mask cannot be used; the text is one sentence saying why."""


class NotAMask(ImageError):
    """A sound picture, but not one whose values are class numbers."""


class OtherFormat(NotAMask):
    """A picture of another format than PNG, such as a photograph in JPEG."""


class ColourMask(NotAMask):
    """A picture in which colours tell the classes; `colours` says how many it has."""

    def __init__(self, text: str, colours: int) -> None:
        super().__init__(text)
        self.colours = colours


class TooManyPixels(ImageError):
    """The header announces more pixels than the caller allows; nothing was decoded."""


class OutOfMemory(ImageError):
    """The machine has no room for the pixels."""

    def __init__(self) -> None:
        super().__init__("The image is too large for the memory of this machine.")


class NotToBeHad(ImageError):
    """Where the file should be, there is none, or none that may be read."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself before its pixels.

    Attributes:
        format: Pillow's name for it, one of `FORMATS`, or MPO for a JPEG of several pictures.
        width: of the picture, in pixels.
        height: likewise.
        tile_pixels: of each of a TIFF's tiles, which are decoded whole; 0 where there are none.
    """

    format: str
    width: int
    height: int
    tile_pixels: int = 0


def read_header(data: bytes, max_pixels: int | None = None) -> Header:
    """What the file says of itself; no pixel is decoded. Raises as `open_image` does."""
    with _opened(data, max_pixels) as image:
        is_tiff = isinstance(image, TiffImagePlugin.TiffImageFile)
        tile = tiff.tile_pixels(data) if is_tiff else 0
        return Header(str(image.format), image.width, image.height, tile)


def open_image(source: Stored | bytes | BinaryIO, max_pixels: int | None = None) -> Image.Image:
    """Decode a whole file and return the picture in its own mode.

    Raises `TooManyPixels` on what the header says, before any pixel is decoded, and `ImageError`
    for everything else that is wrong with the file. An `OSError` is the disk's or the network's.
    """
    data = _read(source)
    with _opened(data, max_pixels) as image:
        image.load()
    if image.format == "PNG" and not png.is_whole(data):
        raise ImageError("The file is truncated: its end is missing.")
    if image.format == "PNG" and not png.is_intact(data):
        raise ImageError("The file is damaged: it is not what was written, its checksums say.")
    return image


def read_image(source: Stored | bytes | BinaryIO, max_pixels: int | None = None) -> Image.Image:
    """Decode a whole file into an RGB picture. Raises as `open_image` does."""
    image = open_image(source, max_pixels)
    if image.mode == "RGB":
        return image
    if image.mode in _SIXTEEN_BIT:
        image = _eight_bit(image)
    if image.mode in ("I", "F"):
        raise ImageError("The pixels are 32-bit numbers without a defined white; use 8 or 16 bits.")
    image.info.pop("transparency", None)  # else Pillow warns, and a palette may lose a colour to it
    try:
        return image.convert("RGB")
    except MemoryError as error:
        raise OutOfMemory from error
    except Exception as error:
        raise ImageError(f"Pixels of the kind {image.mode} cannot be turned into RGB.") from error


def read_mask(source: Stored | bytes | BinaryIO) -> Image.Image:
    """Decode a whole mask: `as_mask` of `open_image`, and raising what both raise."""
    return as_mask(open_image(source))


def as_mask(image: Image.Image) -> Image.Image:
    """A mask in mode "L", each pixel being the label: 0..254, or 255 for "ignore".

    Greyscale values and palette indices are labels as they stand (a palette's colours mean
    nothing); a two-tone picture has the labels 0 and 1. Raises `NotAMask` for anything else.
    """
    if image.format != "PNG":
        raise OtherFormat(f"The file is a {image.format}; {_A_MASK_IS}: save it as PNG.")
    if image.mode not in _MASK_MODES:
        raise _refusal(image)
    if image.mode == "L":
        return image
    return Image.fromarray(np.asarray(image).astype(np.uint8))


@contextmanager
def _opened(data: bytes, max_pixels: int | None) -> Iterator[Image.Image]:
    if not data:
        raise ImageError("The file is empty.")
    # Importing gluoncv sets this to True, after which Pillow turns the missing part of a cut file
    # into grey without a word. An import happens once, and every read sets it back, in any thread.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    if reason := tiff.refusal(data):
        raise ImageError(reason)
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            _check_size(image, max_pixels)
            yield image
    except ImageError:
        raise
    except MemoryError as error:
        raise OutOfMemory from error
    except Exception as error:  # Pillow's plugins raise nearly every class there is
        raise ImageError(_in_plain_words(error)) from error


def why_not_to_be_had(error: OSError) -> str | None:
    """What is wrong with a file that could not be opened, if it is the file and not the machine."""
    return _NOT_TO_BE_HAD.get(error.errno or 0)


def _read(source: Stored | bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return source.read_bytes() if isinstance(source, Stored) else source.read()
    except OSError as error:
        if reason := why_not_to_be_had(error):
            raise NotToBeHad(reason) from error
        raise


def _check_size(image: Image.Image, max_pixels: int | None) -> None:
    pixels = image.width * image.height
    if max_pixels is not None and pixels > max_pixels:
        raise TooManyPixels(
            f"The image has {image.width} x {image.height} = {pixels} pixels,"
            f" the limit is {max_pixels}."
        )


def _in_plain_words(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "The file is not a JPEG, PNG, BMP, GIF, TIFF or WebP image, or its start is damaged."
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return "The file is truncated: its end is missing."
    return "The file is damaged and cannot be decoded."


def _eight_bit(image: Image.Image) -> Image.Image:
    """Greyscale of more than 8 bits to 8: black stays 0, and white becomes 255.

    White is 65535 but for a TIFF of 12 bits, whose values Pillow leaves as they are.
    """
    twelve = isinstance(image, TiffImagePlugin.TiffImageFile) and (
        image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE) == (12,)
    )
    return Image.fromarray((np.asarray(image) // (16 if twelve else 257)).astype(np.uint8))


def _refusal(image: Image.Image) -> NotAMask:
    """Why a PNG is no mask, and what would make it one."""
    if image.mode in _SIXTEEN_BIT or image.mode in ("I", "F"):
        return NotAMask(
            f"The mask has more than 8 bits a pixel; {_A_MASK_IS}: save it with 8 bits."
        )
    if image.mode == "LA":
        return NotAMask(
            f"The mask is greyscale with transparency; {_A_MASK_IS}: save it without alpha."
        )
    if image.mode not in ("RGB", "RGBA"):
        return NotAMask(f"The mask is of the kind {image.mode}; {_A_MASK_IS}.")
    pixels = np.asarray(image)
    if (pixels[..., :3] == pixels[..., :1]).all() and (pixels[..., 3:] == 255).all():
        return NotAMask(
            f"The mask is grey but saved as {image.mode}; {_A_MASK_IS}: save it as greyscale."
        )
    colours = by_frequency(codes_of(image))
    count = "1 colour" if len(colours) == 1 else f"{len(colours)} colours"
    text = (
        f"The mask is {image.mode} with {count} ({named(colours)}); {_A_MASK_IS}:"
        " `semseg convert-masks` turns colours into class numbers."
    )
    return ColourMask(text, len(colours))
