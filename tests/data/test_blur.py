import numpy as np
import pytest
from PIL import Image, ImageFilter

from semseg.data.blur import gaussian_blur

RADII = [0, 0.05, 0.09, 0.13, 0.159, 0.16, 0.25, 0.33, 0.5, 0.66, 0.75, 0.9, 0.99, 1]


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def pillows(image: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def differences(image: np.ndarray, radius: float) -> np.ndarray:
    return gaussian_blur(image, radius).astype(int) - pillows(image, radius)


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("size", [(40, 55), (130, 17), (3, 3)])
def test_it_is_pillows_blur_even_of_noise(size: tuple[int, int], radius: float) -> None:
    assert np.abs(differences(noise(*size), radius)).max() <= 4


@pytest.mark.parametrize("radius", RADII[:-1])  # at 1 Pillow's own darkens by half a level
def test_it_is_pillows_blur_of_what_photographs_are_like(radius: float) -> None:
    """Waves with a little noise: no value is far from Pillow's, and all are as bright as before."""
    y, x = np.mgrid[:120, :160]
    waves = np.stack([128 + 100 * np.sin(x / (5 + k) + y / (9 - k)) for k in range(3)], -1)
    image = (waves + noise(120, 160) / 10).astype(np.uint8)
    found = differences(image, radius)
    assert np.abs(found).max() <= 2
    assert np.abs(found).mean() < 1
    assert abs(found.mean()) < 0.1


@pytest.mark.parametrize("radius", RADII)
def test_borders_are_pillows_too(radius: float) -> None:
    """A bright line along each border, next to black, where a border treated otherwise shows."""
    image = np.zeros((20, 20, 3), np.uint8)
    image[0], image[-1], image[:, 0], image[:, -1] = 255, 200, 150, 255
    assert np.abs(differences(image, radius)).max() <= 3


def test_white_stays_white_and_black_black() -> None:
    for value in (0, 255):
        image = np.full((9, 12, 3), value, np.uint8)
        for radius in RADII:
            assert (gaussian_blur(image, radius) == value).all()


def test_where_the_channels_lie_in_memory_does_not_matter() -> None:
    image = noise(20, 30)
    planes = np.moveaxis(np.ascontiguousarray(np.moveaxis(image, -1, 0)), 0, -1)
    before = image.copy()
    np.testing.assert_array_equal(gaussian_blur(planes, 0.7), gaussian_blur(image, 0.7))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("radius", [-0.1, 1.01, float("nan")])
def test_other_radii_are_refused(radius: float) -> None:
    with pytest.raises(ValueError, match="must be between 0 and 1"):
        gaussian_blur(noise(5, 5), radius)
