"""What a TIFF file makes a reader take memory for, whatever its picture is.

A tile is decoded whole, however little of it the picture has, and every strip or tile gets an
object of Pillow's before any is decoded, however many there are. Pillow has no limit for either.
"""

import struct
from collections.abc import Iterator

# Pillow takes a few hundred bytes for each strip or tile; 6 MiB of file may list three million.
MOST_NUMBERS = 1 << 17

_MARKS = (b"II\x2a\x00", b"MM\x00\x2a", b"II\x00\x2a", b"MM\x2a\x00", b"II\x2b\x00")
_OTHERS_READ_IT_OTHERWISE = b"MM\x00\x2b"
_BIG = 43
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_BLOBS = (1, 2, 7)  # BYTE, ASCII, UNDEFINED: kept as bytes
_SIDES = {3: "H", 4: "I", 16: "Q"}  # by the kind of an entry: SHORT, LONG, LONG8

Entry = tuple[int, int, int, bytes]  # tag, kind, count, value or where it lies


def refusal(data: bytes) -> str | None:
    """Why a file must not even be opened, a sentence; None where it may be, or is no TIFF.

    Args:
        data: the whole file.
    """
    if data[:4] == _OTHERS_READ_IT_OTHERWISE:
        return "A BigTIFF whose numbers begin with their highest byte cannot be read."
    if data[:4] not in _MARKS:
        return None
    try:
        numbers = sum(count for _, kind, count, _ in _entries(data) if kind not in _BLOBS)
    except struct.error:
        return None  # nothing is listed, and whoever opens it will say so
    if numbers > MOST_NUMBERS:
        return f"The TIFF lists {numbers} strips, tiles or other numbers: save it in larger strips."
    return None


def tile_pixels(data: bytes) -> int:
    """Width times height of a tile; 0 where the picture is in strips.

    Where an entry is there twice the larger one counts: readers differ in which they take.

    Args:
        data: the whole file.

    Raises:
        struct.error, KeyError: an entry is malformed.
    """
    order = _order(data)
    sides = {_TILE_WIDTH: 0, _TILE_LENGTH: 0}
    for tag, kind, _, value in _entries(data):
        if tag in sides:
            [side] = struct.unpack_from(order + _SIDES[kind], value)
            sides[tag] = max(sides[tag], side)
    return sides[_TILE_WIDTH] * sides[_TILE_LENGTH]


def _entries(data: bytes) -> Iterator[Entry]:
    """Those of the first picture that the file has whole, as a reader would take them."""
    order = _order(data)
    if data[2] == _BIG:
        at, place, number, entry = 8, "Q", "Q", "HHQ8s"
    else:
        at, place, number, entry = 4, "I", "H", "HHI4s"
    [directory] = struct.unpack_from(order + place, data, at)
    [count] = struct.unpack_from(order + number, data, directory)
    start = directory + struct.calcsize(order + number)
    size = struct.calcsize(order + entry)
    whole = min(count, (len(data) - start) // size)
    return struct.iter_unpack(order + entry, data[start : start + whole * size])


def _order(data: bytes) -> str:
    return "<" if data[:2] == b"II" else ">"
