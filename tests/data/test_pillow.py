"""What Pillow passes over."""

import io
import struct
import tracemalloc
import zlib

from PIL import Image

from semseg.data.images import read_header, read_image


def chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def test_text_in_a_png_takes_no_memory() -> None:
    """A megabyte of text is a kilobyte in the file, and with one emoji four megabytes in Python."""
    picture = io.BytesIO()
    Image.new("RGB", (3, 2), (1, 2, 3)).save(picture, "PNG")
    text = zlib.compress(("a" * (2**20 - 4) + "\N{GRINNING FACE}").encode(), 9)
    texts = b"".join(
        chunk(b"iTXt", b"key%d\0\1\0\0\0" % number + text) for number in range(32)
    ) + chunk(b"zTXt", b"more\0\0" + zlib.compress(bytes(2**20 - 1), 9))
    whole = picture.getvalue()
    end_of_header = 8 + 12 + 13
    data = whole[:end_of_header] + texts + whole[end_of_header:-12] + texts + whole[-12:]
    assert len(data) < 200_000

    tracemalloc.start()
    try:
        header = read_header(data)
        image = read_image(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (header.width, header.height) == image.size == (3, 2)
    assert image.getpixel((2, 1)) == (1, 2, 3)
    assert peak < 4 << 20
