"""TIFF files that Pillow does not write."""

import struct
import zlib
from collections.abc import Sequence

Entry = tuple[int, int, int]  # tag, kind, value

SHORT, LONG = 3, 4
ORIENTATION, TILE_WIDTH, TILE_LENGTH = 274, 322, 323


def tiff(
    pixels: bytes,
    size: tuple[int, int],
    tile: int | None = None,
    bits: int = 8,
    more: Sequence[Entry] = (),
    order: str = "<",
) -> bytes:
    """One strip, or one tile, of grey pixels.

    Args:
        pixels: the strip's or the tile's; those of a tile are deflated.
        size: width and height.
        tile: pixels of a tile's side.
        bits: of a pixel.
        more: entries besides those that it takes.
        order: of the bytes, as for `struct`.
    """
    data = zlib.compress(pixels, 9) if tile else pixels
    places = [(324, LONG, 8), (325, LONG, len(data))]
    if tile:
        places += [(TILE_WIDTH, LONG, tile), (TILE_LENGTH, LONG, tile)]
    else:
        places = [(273, LONG, 8), (278, LONG, size[1]), (279, LONG, len(data))]
    entries = [
        (256, LONG, size[0]),
        (257, LONG, size[1]),
        (258, SHORT, bits),
        (259, SHORT, 8 if tile else 1),
        (262, SHORT, 1),  # 0 is black
        (277, SHORT, 1),
        *places,
        *more,
    ]
    entries.sort(key=lambda entry: entry[0])
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(order + "HI", 42, 8 + len(data))
    listed = b"".join(_entry(order, *entry) for entry in entries)
    return head + data + struct.pack(order + "H", len(entries)) + listed + bytes(4)


def _entry(order: str, tag: int, kind: int, value: int) -> bytes:
    number = struct.pack(order + ("H" if kind == SHORT else "I"), value)
    return struct.pack(order + "HHI", tag, kind, 1) + number.ljust(4, b"\0")
