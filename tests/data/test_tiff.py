"""A TIFF's tiles, and what else is different in a TIFF."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from semseg.data.images import ImageError, read_header, read_image
from semseg.data.tiff import MOST_NUMBERS
from tests.data.tiffs import LONG, ORIENTATION, SHORT, TILE_LENGTH, TILE_WIDTH, tiff

TILE = bytes(64 * 64)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_header_tells_how_large_tiles_are(order: str) -> None:
    data = tiff(TILE, (8, 8), tile=64, order=order)

    header = read_header(data)
    assert (header.width, header.height, header.tile_pixels) == (8, 8, 64 * 64)
    assert read_image(data).size == (8, 8)
    assert read_header(tiff(bytes(64), (8, 8), order=order)).tile_pixels == 0


def test_of_a_tag_that_is_there_twice_the_larger_one_counts() -> None:
    twice = [(TILE_WIDTH, SHORT, 16), (TILE_LENGTH, LONG, 16)]

    assert read_header(tiff(TILE, (8, 8), tile=64, more=twice)).tile_pixels == 64 * 64


def test_a_tile_in_other_numbers_than_whole_ones_is_refused() -> None:
    with pytest.raises(ImageError, match="damaged"):
        read_header(tiff(TILE, (8, 8), tile=64, more=[(TILE_WIDTH, 11, 64)]))


def test_the_tiles_of_a_big_tiff_count_too() -> None:
    entries = [(256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (TILE_WIDTH, 4096)]
    entries += [(TILE_LENGTH, 2048), (324, 0), (325, 0)]
    listed = b"".join(struct.pack("<HHQQ", tag, 16, 1, value) for tag, value in entries)
    data = struct.pack("<2s3HQQ", b"II", 43, 8, 0, 16, len(entries)) + listed + bytes(8)

    assert read_header(data).tile_pixels == 4096 * 2048


@pytest.mark.parametrize("order", ["<", ">"])
def test_millions_of_strips_are_refused_before_anything_takes_memory_for_them(order: str) -> None:
    """Pillow makes an object for each strip that a file lists, though the picture has two rows."""
    many = MOST_NUMBERS + 1
    listed = tiff(bytes(2), (1, 2), order=order)
    one_strip = struct.pack(order + "HHII", 273, LONG, 1, 8)
    many_strips = struct.pack(order + "HHII", 273, SHORT, many, len(listed))
    assert listed.count(one_strip) == 1
    data = listed.replace(one_strip, many_strips) + bytes(2 * many)

    for read in (read_header, read_image):
        with pytest.raises(ImageError, match=f"lists {many + 8} strips"):
            read(data)
    cut = data[: len(listed) - 12]  # the directory's end is missing, and what there is counts
    with pytest.raises(ImageError, match="strips"):
        read_header(cut)


def test_what_two_readers_read_differently_is_refused() -> None:
    with pytest.raises(ImageError, match="BigTIFF"):
        read_header(b"MM\x00\x2b\x00\x08\x00\x00" + bytes(100))


def test_white_is_white_in_twelve_bits() -> None:
    file = tiff(bytes([0x00, 0x08, 0x00, 0xFF, 0xFF, 0xF0]), (4, 1), bits=12)
    assert np.asarray(Image.open(io.BytesIO(file))).tolist() == [[0, 0x800, 0xFFF, 0xFF0]]

    assert np.asarray(read_image(file))[..., 0].tolist() == [[0, 128, 255, 255]]


def test_an_orientation_is_applied_as_pillow_does_it() -> None:
    file = tiff(bytes(range(6)), (3, 2), more=[(ORIENTATION, SHORT, 6)])

    pixels = np.asarray(read_image(file))[..., 0]
    np.testing.assert_array_equal(pixels, np.array(Image.open(io.BytesIO(file))))
    assert (read_header(file).width, read_header(file).height) == pixels.shape[::-1] == (2, 3)
