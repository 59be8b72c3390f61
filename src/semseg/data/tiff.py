"""How large a TIFF file's tiles are.

A tile is decoded whole, however little of it the picture has: memory is taken for what the file
says of its tiles, and Pillow has no limit for that.
"""

import struct

_TILE_WIDTH, _TILE_LENGTH = 322, 323
_BIG = 43
_NUMBERS = {3: "H", 4: "I", 16: "Q"}  # by the kind of an entry: SHORT, LONG, LONG8


def tile_pixels(data: bytes, directory: int) -> int:
    """Width times height of a tile; 0 where the picture is in strips.

    Where an entry is there twice the larger one counts: Pillow takes the last, libtiff the first.

    Args:
        data: the whole file.
        directory: where the picture's entries begin.

    Raises:
        struct.error, KeyError: an entry is malformed.
    """
    order = "<" if data[:2] == b"II" else ">"
    number, entry = ("Q", "HHQ8s") if _BIG in data[2:4] else ("H", "HHI4s")
    number, entry = order + number, order + entry
    [count] = struct.unpack_from(number, data, directory)
    start = directory + struct.calcsize(number)
    sides = {_TILE_WIDTH: 0, _TILE_LENGTH: 0}
    for tag, kind, _, value in struct.iter_unpack(
        entry, data[start : start + count * struct.calcsize(entry)]
    ):
        if tag in sides:
            [side] = struct.unpack_from(order + _NUMBERS[kind], value)
            sides[tag] = max(sides[tag], side)
    return sides[_TILE_WIDTH] * sides[_TILE_LENGTH]
