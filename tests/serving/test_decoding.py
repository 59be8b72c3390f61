import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from semseg.serving.decoding import decode
from semseg.serving.refusal import Refusal

from .conftest import image_file


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"])
def test_the_bytes_tell_the_format(format):
    pixels = decode(image_file(5, 7, format), 100)

    assert pixels.shape == (5, 7, 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_whatever_the_mode_the_pixels_are_rgb(mode):
    body = BytesIO()
    Image.new(mode, (7, 5)).save(body, "TIFF")

    assert decode(body.getvalue(), 100).shape == (5, 7, 3)


def test_exif_orientation_is_not_applied():
    body = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (7, 5)).save(body, "JPEG", exif=exif)

    assert decode(body.getvalue(), 100).shape == (5, 7, 3)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no image", 415),
        (b'{"instances": []}', 415),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415),
        (b"\xff\xd8\xff", 415),
        (image_file(50, 70)[:-40], 400),
        (image_file(50, 70, "JPEG")[:-400], 400),
        (image_file(50, 71), 413),
    ],
)
def test_what_cannot_be_decoded_is_refused_with_a_sentence(body, status):
    with pytest.raises(Refusal) as refusal:
        decode(body, 50 * 70)

    assert refusal.value.status == status
    assert refusal.value.sentence.endswith(".")
    assert "\n" not in refusal.value.sentence


def test_an_image_of_just_as_many_pixels_as_allowed_is_served():
    assert decode(image_file(50, 70), 50 * 70).shape == (50, 70, 3)


def test_too_many_pixels_are_told_before_decoding():
    huge = bytearray(image_file(5, 7))
    huge[16:24] = (200_000).to_bytes(4, "big") * 2  # the header says so; there are no such pixels
    huge[29:33] = zlib.crc32(huge[12:29]).to_bytes(4, "big")

    with pytest.raises(Refusal, match="200000 x 200000") as refusal:
        decode(bytes(huge), 100)

    assert refusal.value.status == 413
