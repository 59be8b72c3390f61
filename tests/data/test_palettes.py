import io

import numpy as np
import pytest
from PIL import Image

from semseg.data.images import as_mask, open_image
from semseg.data.palettes import Comparison, colours_in_use


def palette_mask(values: list[int], palette: dict[int, tuple[int, int, int]]) -> Image.Image:
    """A palette picture as it comes from a file."""
    picture = Image.fromarray(np.array([values], np.uint8)).convert("P")
    colours = [palette.get(index, (0, 0, 0)) for index in range(256)]
    picture.putpalette([value for colour in colours for value in colour])
    picture.putdata(values)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return open_image(file.getvalue())


def in_use(picture: Image.Image) -> dict[int, int]:
    return colours_in_use(picture, as_mask(picture).histogram())


def test_only_indices_with_pixels_count() -> None:
    red, blue = (255, 0, 0), (0, 0, 255)
    picture = palette_mask([0, 38, 38, 255], {38: red, 75: blue, 255: (9, 9, 9)})
    assert in_use(picture) == {0: 0x000000, 38: 0xFF0000}


def test_a_palette_of_equal_colours_tells_nothing() -> None:
    assert in_use(palette_mask([0, 1, 2], {})) == {}


@pytest.mark.parametrize("mode", ["L", "1"])
def test_a_grey_mask_has_no_palette(mode: str) -> None:
    assert colours_in_use(Image.new(mode, (2, 2)), [4] + [0] * 255) == {}


def test_palettes_that_number_the_same_colours_alike() -> None:
    comparison = Comparison()
    comparison.add("a.png", {0: 0xFFFFFF, 1: 0xFF0000})
    comparison.add("b.png", {1: 0xFF0000, 2: 0x00FF00})
    comparison.add("c.png", {})
    assert comparison.difference is None


def test_palettes_that_number_them_differently() -> None:
    comparison = Comparison()
    comparison.add("a.png", {0: 0xFFFFFF, 1: 0xFF0000, 2: 0x00FF00})
    comparison.add("b.png", {0: 0xFFFFFF, 1: 0x00FF00})
    comparison.add("c.png", {7: 0xFFFFFF})
    assert comparison.difference == (
        "The colour #00ff00 has index 2 in a.png and index 1 in b.png: these palettes are numbered"
        " in different ways, and labels are the indices."
    )
