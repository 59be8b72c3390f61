"""Damage at random: nothing but a plain refusal comes of it, and never another label.

The cases are the same in each run, and a hundred times as many with
`--hypothesis-profile=thorough`.
"""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from semseg.data.checks import check_datasets
from semseg.data.decoding import decode_pair
from semseg.data.images import ImageError, open_image, read_image, read_mask
from semseg.data.streams import Stream
from semseg.sagemaker.channels import Channel, Channels
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.recordio import frame, split_frame
from tests.data.records import encoded

CLASSES = 6
Labels = npt.NDArray[np.uint8]

fuzz = settings(
    derandomize=True,
    max_examples=5 * settings.default.max_examples,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def flip(data: bytes, place: float, bit: int) -> bytes:
    damaged = bytearray(data)
    damaged[int(place * len(data))] ^= 1 << bit
    return bytes(damaged)


def cut(data: bytes, place: float, _: int) -> bytes:
    return data[: int(place * len(data))]


def leave_out(data: bytes, place: float, size: int) -> bytes:
    start = int(place * len(data))
    return data[:start] + data[start + 1 + size :]


def insert(data: bytes, place: float, value: int) -> bytes:
    start = int(place * len(data))
    return data[:start] + bytes([value * 36]) * (1 + value) + data[start:]


def blank(data: bytes, place: float, size: int) -> bytes:
    start = int(place * len(data))
    length = min(4 * (1 + size), len(data) - start)
    return data[:start] + bytes(length) + data[start + length :]


DAMAGE = st.lists(
    st.tuples(
        # Flipped bits are what a checksum is for, so there are more of them.
        st.sampled_from([flip, flip, flip, cut, leave_out, insert, blank]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 7),
    ),
    min_size=1,
    max_size=3,
)
Damage = list[tuple[Callable[[bytes, float, int], bytes], float, int]]


def damaged(data: bytes, damage: Damage) -> bytes:
    for harm, place, number in damage:
        data = harm(data, place, number) if data else data
    return data


def labels(size: tuple[int, int], seed: int) -> Labels:
    values = np.append(np.arange(CLASSES), 255)
    found = np.random.default_rng(seed).choice(values, (size[1], size[0]))
    return found.astype(np.uint8)


def masks() -> list[tuple[bytes, Labels]]:
    """Masks of each kind with what they say: greyscale, palette, two tones; a size for each."""
    found = []
    for seed, mode in enumerate(("L", "P", "L", "1")):
        expected = labels((17 + seed, 11), seed)
        if mode == "1":
            expected = np.minimum(expected, 1)
        picture = Image.fromarray(expected)
        if mode == "P":
            picture = picture.convert("P")
        if mode == "1":
            picture = Image.fromarray(expected.astype(bool))
        found.append((encoded(picture, "PNG"), expected))
    return found


def picture(seed: int, size: tuple[int, int]) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels)


def images() -> list[bytes]:
    """An image of each kind."""
    one = picture(0, (17, 11))
    progressive = io.BytesIO()
    one.save(progressive, "JPEG", progressive=True)
    kinds = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP")
    return [*(encoded(one, kind) for kind in kinds), progressive.getvalue()]


MASKS = masks()
IMAGES = images()
PAIRS = [
    (encoded(picture(n, said.shape[::-1]), "PNG" if n % 2 else "JPEG"), data, said)
    for n, (data, said) in enumerate(MASKS)
]
STREAM = b"".join(
    (split_frame if n % 2 else frame)(payload)
    for n, (image, mask, _) in enumerate(PAIRS)
    for payload in (image, mask)
)


@fuzz
@given(which=st.sampled_from(range(len(MASKS))), damage=DAMAGE)
def test_masks(which: int, damage: Damage) -> None:
    data, expected = MASKS[which]
    try:
        found = np.asarray(read_mask(damaged(data, damage)))
    except ImageError:
        return
    np.testing.assert_array_equal(found, expected)


@fuzz
@given(data=st.sampled_from(IMAGES), damage=DAMAGE)
def test_images(data: bytes, damage: Damage) -> None:
    for read in (open_image, read_image):
        refusal = refusal_of(lambda read=read: read(damaged(data, damage)))
        assert "\n" not in refusal


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    return Channel("train", tmp_path / "train", "application/x-recordio", "Pipe", True)


@fuzz
@given(damage=DAMAGE)
def test_streams(channel: Channel, damage: Damage) -> None:
    """A pair that is accepted is one of those that were written."""
    channel.fifo(0).write_bytes(damaged(STREAM, damage))
    stream = Stream(channel, CLASSES, seconds=5)

    def use() -> None:
        with stream.pairs(0) as pairs:
            for pair in pairs:
                assert_written(*stream.decode(pair, 0))

    refusal = refusal_of(use)
    assert not refusal or "A stream cannot be checked before it is used" in refusal


@fuzz
@given(damage=DAMAGE)
def test_record_files(tmp_path: Path, damage: Damage) -> None:
    channels = {}
    for part, data in (("train", damaged(STREAM, damage)), ("validation", STREAM)):
        folder = tmp_path / part
        folder.mkdir(exist_ok=True)
        (folder / "a.rec").write_bytes(data)
        channels[part] = Channel(part, folder, None, "File", True)

    def use() -> None:
        dataset = check_datasets(Channels(**channels), CLASSES, 1, len(PAIRS))
        assert isinstance(dataset.train, tuple)
        for pair in dataset.train:
            assert_written(*decode_pair(pair))

    refusal = refusal_of(use)
    assert not refusal or refusal.splitlines()[-1].startswith("train")


def refusal_of(use: Callable[[], object]) -> str:
    """The refusal that using something ends with, empty where it does not; all else is an error."""
    try:
        use()
    except (CustomerError, ImageError) as error:
        return str(error)
    return ""


def assert_written(image: Image.Image, mask: Image.Image) -> None:
    assert image.size == mask.size
    found = np.asarray(mask)
    assert any(np.array_equal(found, said) for _, _, said in PAIRS)
