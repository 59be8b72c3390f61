"""From a request's body to pixels. The bytes decide what it is, never the content type."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from semseg.data.images import (
    Header,
    ImageError,
    OutOfMemory,
    TooManyPixels,
    read_header,
    read_image,
)
from semseg.inference.tiling import CELL
from semseg.serving.memory import FEWEST_PIXELS
from semseg.serving.refusal import Busy, Refusal
from semseg.serving.room import Reservation, Room

# What decoding takes for each pixel at its peak, the result included. Pillow keeps RGB in 4 bytes;
# NumPy gets 3 of them, twice. A progressive JPEG in CMYK has its coefficients, and WebP several
# canvases and a copy of the file besides (measured; tests/serving/test_decoding.py does it again).
_BYTES_A_PIXEL = 12.1
_BYTES_A_PIXEL_OF = {"WEBP": 19.1}
# One tile of a TIFF besides, of up to four channels of 16 bits.
_BYTES_A_PIXEL_OF_A_TILE = 8

_CROWDED = (
    "The images and answers at hand take all the memory there is: try again in a few seconds."
)


@dataclass(frozen=True)
class Announced:
    """What an image file says of itself, before any of its pixels is decoded.

    Attributes:
        pixels: H x W.
        decoding_bytes: memory that decoding it takes at its peak, the file included.
    """

    pixels: int
    decoding_bytes: int


def announced(body: bytes, max_pixels: int, way_out: str = "") -> Announced:
    """What an image file says of itself.

    AWS documents `image/jpeg` only; PNG, other content types and none were seen to work there.

    Args:
        body: the file's bytes.
        max_pixels: H x W of the largest image.
        way_out: what to do about a larger image, a sentence.

    Raises:
        Refusal: 400 for an empty or damaged file, 413 for too many pixels, 415 for what is no
            image.
    """
    if not body:
        raise Refusal(400, "The request has no body: send the bytes of one JPEG or PNG file.")
    try:
        header = read_header(body, max_pixels)
    except TooManyPixels as problem:
        raise Refusal(413, f"{problem} {way_out}".rstrip()) from problem
    except ImageError as problem:
        raise _refusal(problem) from problem
    _refuse_more_than_it_looks(header, max_pixels, way_out)
    pixels = header.width * header.height
    each = _BYTES_A_PIXEL_OF.get(header.format, _BYTES_A_PIXEL)
    tile = _BYTES_A_PIXEL_OF_A_TILE * header.tile_pixels
    return Announced(pixels, int(each * pixels) + tile + 2 * len(body))


def decode(body: bytes) -> NDArray[np.uint8]:
    """The RGB pixels of an image file, uint8 (H,W,3), as `read_image` takes them.

    Raises:
        Refusal: 400 for a truncated or damaged file, 415 for what is no image.
        Busy: the machine has no memory left for it.
    """
    try:
        return np.asarray(read_image(body))
    except ImageError as problem:
        raise _refusal(problem) from problem
    except MemoryError as problem:
        raise Busy(_CROWDED) from problem


class DecodingRoom:
    """Has no more images decoded at once than there is memory for.

    Decoding takes several times the memory of its result, but not for long: so an image that does
    not fit beside others that are being decoded waits for them, and is refused only if there is
    nobody to wait for.

    Args:
        room: where images stay once they are decoded.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._changed = threading.Condition()
        self._at_work = 0

    @contextmanager
    def place(self, size: int, kept: int) -> Iterator[Reservation]:
        """Decode in this block; the reservation is the caller's to release.

        Args:
            size: bytes that decoding takes.
            kept: bytes that the reservation has from the block's end on, not more than `size`.

        Raises:
            Busy: the memory is not to be had.
        """
        with self._changed:
            while (reservation := self._room.take(size)) is None:
                if not self._at_work:
                    raise Busy(_CROWDED)
                self._changed.wait()
            self._at_work += 1
        try:
            yield reservation
        finally:
            reservation.shrink(size - kept)
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()


def _refuse_more_than_it_looks(header: Header, max_pixels: int, way_out: str) -> None:
    """Holds what an image takes beyond its pixels to the same limit, where it is much.

    The network computes whole cells, however thin the image is.
    """
    whole_cells = max(header.width, CELL) * max(header.height, CELL)
    pixels = max(whole_cells, header.tile_pixels)
    if pixels > max(max_pixels, FEWEST_PIXELS):
        what = f"with a side shorter than {CELL}" if pixels == whole_cells else "in large tiles"
        raise Refusal(
            413,
            f"The image has {header.width} x {header.height} pixels, but {what} it takes as much "
            f"memory as one of {pixels}, the limit is {max_pixels}. {way_out}".rstrip(),
        )


def _refusal(problem: ImageError) -> Refusal:
    if isinstance(problem, OutOfMemory):
        return Busy(_CROWDED)
    unknown = isinstance(problem.__cause__, UnidentifiedImageError)
    return Refusal(415 if unknown else 400, str(problem))
