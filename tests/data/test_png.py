import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from semseg.data.images import ImageError, read_mask
from semseg.data.png import is_intact, is_whole

LABELS = np.random.default_rng(3).integers(0, 5, (12, 17), np.uint8)


def encoded(**options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(LABELS).save(file, "PNG", **options)
    return file.getvalue()


MASK = encoded()


def test_a_sound_file() -> None:
    assert is_whole(MASK)
    assert is_intact(MASK)


def test_what_follows_the_end_does_not_matter() -> None:
    assert is_whole(MASK + b"junk")
    assert is_intact(MASK + b"junk")


@pytest.mark.parametrize("missing", [1, 4, 12, 13, 30])
def test_a_file_without_its_end(missing: int) -> None:
    assert not is_whole(MASK[:-missing])


def test_a_damaged_note_spoils_no_pixel() -> None:
    info = PngImagePlugin.PngInfo()
    info.add(b"noTe", b"a comment", after_idat=True)
    data = encoded(pnginfo=info).replace(b"a comment", b"A comment")
    assert is_intact(data)
    np.testing.assert_array_equal(np.asarray(read_mask(data)), LABELS)


@given(bit=st.integers(0, len(MASK) * 8 - 1))
def test_a_flipped_bit_never_changes_a_label(bit: int) -> None:
    data = bytearray(MASK)
    data[bit // 8] ^= 1 << bit % 8
    try:
        labels = np.asarray(read_mask(bytes(data)))
    except ImageError:
        return
    np.testing.assert_array_equal(labels, LABELS)


def test_pillow_alone_would_read_other_labels() -> None:
    """Why the checksums are looked at."""
    start = MASK.index(b"IDAT") + 4
    length = int.from_bytes(MASK[start - 8 : start - 4])
    rows = bytearray(zlib.decompress(MASK[start : start + length]))
    rows[20] ^= 1
    pixels = zlib.compress(bytes(rows), 0)
    data = (
        MASK[: start - 8]
        + len(pixels).to_bytes(4)
        + b"IDAT"
        + pixels
        + MASK[start + length :]  # with the checksum of what was there before
    )
    Image.open(io.BytesIO(data)).load()
    with pytest.raises(ImageError, match=r"^The file is damaged: .* its checksums say\.$"):
        read_mask(data)
