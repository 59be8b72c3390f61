import random

import numpy as np
import pytest
from PIL import Image, ImageOps

from semseg.data.augmentation import IGNORE, centre_crop, random_crop, whole
from semseg.data.blur import gaussian_blur


def smooth_picture(width: int, height: int) -> Image.Image:
    """Waves, as photographs have them: neighbouring pixels are alike."""
    y, x = np.mgrid[:height, :width]
    planes = [128 + 120 * np.sin(x / (5 + k) + y / (9 - k)) for k in range(3)]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8))


def blocky_mask(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(((x // 11 + y // 7) % 6).astype(np.uint8))


def resize_then_crop(
    image: Image.Image, mask: Image.Image, base_size: int, crop_size: int, rng: random.Random
) -> tuple[np.ndarray, np.ndarray]:
    """The long way round, in the order of GluonCV's description."""
    if rng.random() < 0.5:
        image, mask = ImageOps.mirror(image), ImageOps.mirror(mask)
    long_side = rng.randint(int(base_size * 0.5), int(base_size * 2.0))
    scale = long_side / max(image.size)
    size = tuple(
        long_side if side == max(image.size) else int(side * scale + 0.5) for side in image.size
    )
    image, mask = image.resize(size, Image.BILINEAR), mask.resize(size, Image.NEAREST)
    padding = (0, 0, max(crop_size - size[0], 0), max(crop_size - size[1], 0))
    image = ImageOps.expand(image, padding, fill=0)
    mask = ImageOps.expand(mask, padding, fill=IGNORE)
    left = rng.randint(0, image.width - crop_size)
    top = rng.randint(0, image.height - crop_size)
    box = (left, top, left + crop_size, top + crop_size)
    image, mask = image.crop(box), mask.crop(box)
    pixels = np.asarray(image)
    if rng.random() < 0.5:  # test_blur holds this one against Pillow's
        pixels = gaussian_blur(pixels, radius=rng.random())
    return pixels, np.asarray(mask)


@pytest.mark.parametrize("size", [(97, 71), (71, 97), (640, 333), (30, 30)])
def test_the_same_as_resizing_first_and_cropping_afterwards(size: tuple[int, int]) -> None:
    image, mask = smooth_picture(*size), blocky_mask(*size)
    for seed in range(40):
        pixels, labels = random_crop(image, mask, 130, 64, random.Random(seed))
        expected = resize_then_crop(image, mask, 130, 64, random.Random(seed))
        assert np.abs(pixels.astype(int) - expected[0]).max() <= 2
        # Where the middle of a pixel falls between two, a mirrored picture has the other of them.
        assert (labels == expected[1]).mean() > 0.9


@pytest.mark.parametrize("size", [(97, 71), (71, 97), (640, 333), (30, 30)])
def test_masks_are_the_same_to_the_pixel_where_nothing_is_mirrored(size: tuple[int, int]) -> None:
    image, mask = smooth_picture(*size), blocky_mask(*size)
    seeds = [seed for seed in range(80) if random.Random(seed).random() >= 0.5]
    equal = [
        random_crop(image, mask, 130, 64, random.Random(seed))[1]
        == resize_then_crop(image, mask, 130, 64, random.Random(seed))[1]
        for seed in seeds
    ]
    assert np.mean(equal) > 0.999


def test_image_and_mask_stay_aligned() -> None:
    """A picture painted from its mask: after the crop, bright is still class 1, dark class 0."""
    disc = np.hypot(*np.mgrid[-60:60, -90:90]) < 40
    mask = Image.fromarray(disc.astype(np.uint8))
    image = Image.fromarray(np.repeat(disc[..., None] * np.uint8(255), 3, -1))
    for seed in range(60):
        pixels, labels = random_crop(image, mask, 150, 96, random.Random(seed))
        seen = labels != IGNORE
        wrong = ((pixels[..., 0] > 127) != (labels == 1)) & seen
        assert wrong.mean() < 0.01


def test_padding_is_black_and_ignored_on_the_right_and_below() -> None:
    image, mask = Image.new("RGB", (40, 20), "white"), Image.new("L", (40, 20), 3)
    for seed in range(20):
        pixels, labels = random_crop(image, mask, 32, 64, random.Random(seed))
        assert pixels.shape == (64, 64, 3)
        rows, columns = (labels == 3).sum(axis=0)[0], (labels == 3).sum(axis=1)[0]
        assert 16 <= columns <= 64
        assert abs(rows - columns / 2) <= 1
        assert (labels[:rows, :columns] == 3).all()
        assert (labels == IGNORE).sum() == 64 * 64 - rows * columns
        assert pixels[rows + 5 :].max(initial=0) == 0
        assert pixels[:, columns + 5 :].max(initial=0) == 0


def test_everything_by_chance_comes_from_the_generator() -> None:
    image, mask = smooth_picture(50, 40), blocky_mask(50, 40)
    first, again, other = (random_crop(image, mask, 60, 32, random.Random(s)) for s in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != other[0]).any()


def test_a_very_long_picture_keeps_at_least_one_row() -> None:
    pixels, labels = random_crop(
        Image.new("RGB", (3000, 1)), Image.new("L", (3000, 1)), 32, 16, random.Random(0)
    )
    assert pixels.shape == (16, 16, 3)
    assert (labels[0] == 0).any()


@pytest.mark.parametrize("size", [(97, 71), (71, 97), (64, 64), (30, 200), (640, 480)])
def test_centre_crop_is_gluoncvs(size: tuple[int, int]) -> None:
    image, mask = smooth_picture(*size), blocky_mask(*size)
    pixels, labels = centre_crop(image, mask, 64)
    width, height = size
    resized = (int(width * 64 / height), 64) if width > height else (64, int(height * 64 / width))
    left, top = round((resized[0] - 64) / 2), round((resized[1] - 64) / 2)
    box = (left, top, left + 64, top + 64)
    expected = np.asarray(image.resize(resized, Image.BILINEAR).crop(box))
    assert np.abs(pixels.astype(int) - expected).max() <= 2
    expected = np.asarray(mask.resize(resized, Image.NEAREST).crop(box))
    assert (labels == expected).mean() > 0.999


def test_whole_is_the_picture_itself() -> None:
    image, mask = smooth_picture(9, 5), blocky_mask(9, 5)
    pixels, labels = whole(image, mask)
    assert (pixels.shape, labels.shape) == ((5, 9, 3), (5, 9))
    assert (pixels.dtype, labels.dtype) == (np.uint8, np.uint8)
