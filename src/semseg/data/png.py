"""The checksums of a PNG file.

Pillow does not look at those of the pixel data, and a flipped bit there gives other pixels: in a
mask, other labels.
"""

import struct
import zlib
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">I4s")
_CHECKSUM = struct.Struct(">I")


def is_whole(data: bytes) -> bool:
    """Whether a PNG file goes on to its end, which Pillow would not miss."""
    return any(kind == b"IEND" for kind, _ in _chunks(data))


def is_intact(data: bytes) -> bool:
    """Whether the checksums of all that makes up the picture are right: header, palette, pixels.

    Text and other chunks that a reader may pass over are passed over.
    """
    return all(right for kind, right in _chunks(data) if kind[:1].isupper())


def _chunks(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """The kind of each whole chunk up to the last, and whether its checksum is right."""
    view = memoryview(data)
    position, kind = len(_SIGNATURE), b""
    while kind != b"IEND" and position + _HEADER.size + _CHECKSUM.size <= len(data):
        length, kind = _HEADER.unpack_from(data, position)
        end = position + _HEADER.size + length
        if end + _CHECKSUM.size > len(data):
            return
        [checksum] = _CHECKSUM.unpack_from(data, end)
        yield kind, zlib.crc32(view[position + 4 : end]) == checksum
        position = end + _CHECKSUM.size
