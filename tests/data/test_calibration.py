"""What a model is calibrated on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semseg.data.calibration import evenly_spaced, whole_images
from semseg.data.normalization import normalize
from semseg.sagemaker.errors import CustomerError


def test_a_sample_is_spread_evenly_and_always_the_same() -> None:
    assert evenly_spaced(range(10), 5) == (0, 2, 4, 6, 8)
    assert evenly_spaced(range(3), 5) == (0, 1, 2)
    assert evenly_spaced(range(100)) == evenly_spaced(range(100))
    assert len(evenly_spaced(range(100))) == 32


def test_images_are_whole_and_only_large_ones_are_made_smaller(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (600, 650, 3), np.uint8)
    paths = [tmp_path / name for name in ("small.png", "large.png", "thin.png")]
    Image.fromarray(pixels).save(paths[0])
    Image.new("RGB", (4000, 1000)).save(paths[1])
    Image.new("RGB", (1, 500_000)).save(paths[2])

    small, large, thin = whole_images(paths)

    np.testing.assert_array_equal(small, normalize(pixels)[None])
    assert large.shape == (1, 3, 320, 1280)
    assert thin.shape == (1, 3, 452_548, 1)


def test_one_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    with pytest.raises(CustomerError, match=r"broken\.jpg: "):
        list(whole_images([broken]))
