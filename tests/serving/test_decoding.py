import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFile

from semseg.serving.decoding import DecodingRoom, announced, decode
from semseg.serving.refusal import Refusal
from semseg.serving.room import Room
from tests.data.tiffs import tiff

from .conftest import image_file, wait_for


def announced_and_decoded(body: bytes, max_pixels: int) -> np.ndarray:
    announced(body, max_pixels)
    return decode(body)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP"])
def test_the_bytes_tell_the_format(format):
    pixels = decode(image_file(5, 7, format))

    assert pixels.shape == (5, 7, 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_whatever_the_mode_the_pixels_are_rgb(mode):
    body = BytesIO()
    Image.new(mode, (7, 5)).save(body, "TIFF")

    assert decode(body.getvalue()).shape == (5, 7, 3)


def test_exif_orientation_is_not_applied():
    body = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (7, 5)).save(body, "JPEG", exif=exif)

    assert decode(body.getvalue()).shape == (5, 7, 3)


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
        announced_and_decoded(body, 50 * 70)

    assert refusal.value.status == status
    assert refusal.value.sentence.endswith(".")
    assert "\n" not in refusal.value.sentence


def test_an_image_of_just_as_many_pixels_as_allowed_is_served():
    assert announced_and_decoded(image_file(50, 70), 50 * 70).shape == (50, 70, 3)


def test_too_many_pixels_are_told_before_decoding():
    huge = bytearray(image_file(5, 7))
    huge[16:24] = (200_000).to_bytes(4, "big") * 2  # the header says so; there are no such pixels
    huge[29:33] = zlib.crc32(huge[12:29]).to_bytes(4, "big")

    with pytest.raises(Refusal, match="200000 x 200000") as refusal:
        announced(bytes(huge), 100)

    assert refusal.value.status == 413


@pytest.mark.parametrize(
    ("at_work", "name"),
    [(ImageFile.ImageFile, "load"), (Image.Image, "convert"), (np, "asarray")],
)
def test_an_image_that_there_is_no_memory_for_may_be_sent_again(monkeypatch, at_work, name):
    body = BytesIO()
    Image.new("L", (7, 5)).save(body, "PNG")

    def take_too_much(*_args, **_kwargs):
        raise MemoryError

    monkeypatch.setattr(at_work, name, take_too_much)
    with pytest.raises(Refusal) as refusal:
        decode(body.getvalue())

    assert refusal.value.status == 503
    assert refusal.value.retry_after == 5


@pytest.mark.parametrize("size", [(1, 300_000), (300_000, 1), (2, 140_000)])
def test_a_side_of_an_image_counts_as_a_cell_at_least(size):
    with pytest.raises(Refusal, match=rf"{size[1]} x {size[0]} .*side shorter than 8") as refusal:
        announced(image_file(*size), 300_000, "Go away.")

    assert refusal.value.status == 413
    assert refusal.value.sentence.endswith("the limit is 300000. Go away.")
    assert announced(image_file(*size), 8 * 300_000).pixels == size[0] * size[1]


def test_a_thin_image_that_any_container_can_compute_is_served():
    assert announced(image_file(1, 512 * 512 // 8), 512 * 512 // 8).pixels == 512 * 512 // 8


def test_a_tile_counts_however_small_the_image_is():
    body = tiff(bytes(1024 * 1024), (8, 8), tile=1024)

    with pytest.raises(Refusal, match=r"8 x 8 .*tiles.* 1048576,") as refusal:
        announced(body, 1_000_000)

    assert refusal.value.status == 413
    assert announced(body, 1 << 20).decoding_bytes > 8 << 20
    assert announced(tiff(bytes(256 * 256), (8, 8), tile=256), 64).pixels == 64


MEASURE = """
import sys
from pathlib import Path
from semseg.serving.decoding import announced, decode

def kilobytes(name):
    [line] = [l for l in Path("/proc/self/status").read_text().splitlines() if l.startswith(name)]
    return int(line.split()[1])

body = sys.stdin.buffer.read()
file = announced(body, 1 << 30)
resident = kilobytes("VmRSS")
decode(body)
print((kilobytes("VmHWM") - resident) * 1024 + len(body), file.decoding_bytes)
"""


@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [
        ("RGB", "JPEG", {}),
        ("CMYK", "JPEG", {"progressive": True, "subsampling": 0}),
        ("RGBA", "PNG", {"compress_level": 1}),
        ("RGB", "WEBP", {"lossless": True, "method": 0}),
    ],
)
def test_decoding_takes_no_more_memory_than_is_said(mode, format, options):
    body, side = BytesIO(), 2400
    small = Image.frombytes("RGB", (8, 8), bytes(range(192)))
    small.resize((side, side), Image.Resampling.BICUBIC).convert(mode).save(body, format, **options)

    measured = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=body.getvalue(),
        capture_output=True,
        check=True,
    )

    taken, said = map(int, measured.stdout.split())
    assert 0.6 * said < taken < said + (2 << 20)  # two for the modules that it loads


def test_an_image_waits_for_those_that_are_being_decoded():
    room = Room(100)
    decoding = DecodingRoom(room)
    go_on = threading.Event()
    at_work = []

    def work() -> None:
        with decoding.place(60, kept=20):
            at_work.append(room)
            go_on.wait(30)

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(work) for _ in range(2)]
        wait_for(lambda: bool(at_work))
        assert threading.Event().wait(0.1) is False
        assert len(at_work) == 1
        go_on.set()
        for one in both:
            one.result(30)
    assert len(at_work) == 2
    assert room.take(60) is not None
    assert room.take(1) is None


def test_an_image_is_refused_where_there_is_nothing_to_wait_for():
    room = Room(100)
    decoding = DecodingRoom(room)
    with pytest.raises(ArithmeticError), decoding.place(60, kept=50):
        raise ArithmeticError

    with pytest.raises(Refusal) as refusal, decoding.place(60, kept=50):
        pass

    assert refusal.value.status == 503
    assert refusal.value.retry_after == 5


def test_a_single_image_may_be_larger_than_all_the_room():
    decoding = DecodingRoom(Room(100))

    with decoding.place(1000, kept=500) as share:
        pass
    assert share.size == 500
    share.release()
    with decoding.place(1000, kept=500):
        pass
