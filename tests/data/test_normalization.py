import numpy as np
import pytest

from semseg.data.normalization import MEAN, STD, normalize


@pytest.mark.parametrize("shape", [(5, 7, 3), (2, 5, 7, 3)])
def test_values_layout_and_type(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    normalized = normalize(pixels)
    expected = np.moveaxis((pixels / 255 - np.array(MEAN)) / np.array(STD), -1, -3)
    np.testing.assert_allclose(normalized, expected, rtol=1e-5, atol=1e-6)
    assert normalized.dtype == np.float32
    assert normalized.flags.c_contiguous


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4, 3)), np.zeros((3, 4, 4), np.uint8), np.zeros((4, 3), np.uint8)]
)
def test_other_arrays_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        normalize(wrong)
