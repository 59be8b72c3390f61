import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from semseg.data.colour_map import Entry, number_classes
from semseg.data.colour_masks import OtherColours, convert
from semseg.data.colours import code_of, codes_of
from semseg.data.images import NotAMask

GREEN, ORANGE = code_of(42, 207, 89), code_of(242, 131, 51)
MAP = number_classes([Entry(None, "buildings", GREEN), Entry(None, "road", ORANGE)])


def picture(mode: str = "RGB") -> Image.Image:
    """Ground on the left, buildings in the middle, road on the right; 2, 3 and 4 columns."""
    found = Image.new("RGBA", (9, 2), (0, 0, 0, 0))
    found.paste((42, 207, 89), (2, 0, 5, 2))
    found.paste((242, 131, 51), (5, 0, 9, 2))
    return found if mode == "RGBA" else found.convert("RGB").convert(mode)


EXPECTED = [[0, 0, 1, 1, 1, 2, 2, 2, 2]] * 2


def labels(image: Image.Image, nearest: bool = False) -> list[list[int]]:
    converted = convert(image, MAP, nearest)
    with Image.open(io.BytesIO(converted.encoded())) as mask:
        assert mask.mode == "P"
        assert mask.size == image.size
        return np.asarray(mask).tolist()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_become_class_numbers(mode: str) -> None:
    assert labels(picture(mode)) == EXPECTED


def test_the_colours_of_a_palette_count_and_not_its_indices() -> None:
    indexed = picture().quantize(8)
    assert np.asarray(indexed).tolist() != EXPECTED
    assert labels(indexed) == EXPECTED


def test_a_transparent_index_of_a_palette_is_ground() -> None:
    indexed = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    indexed.putpalette([9, 9, 9, 42, 207, 89, 242, 131, 51])
    file = io.BytesIO()
    indexed.save(file, "PNG", transparency=0)
    with Image.open(file) as stored:
        assert labels(stored) == [[0, 1, 2]]


def test_what_is_written_can_be_looked_at() -> None:
    mask = convert(picture(), MAP, False).mask
    assert mask.convert("RGB").tobytes() == picture().tobytes()


def test_in_between_colours_are_refused_with_their_pixels() -> None:
    image = picture()
    image.putpixel((0, 0), (21, 103, 44))
    image.putpixel((1, 0), (21, 103, 44))
    image.putpixel((2, 0), (142, 169, 70))
    with pytest.raises(OtherColours) as caught:
        convert(image, MAP, nearest=False)
    assert str(caught.value) == (
        "3 of 18 pixels have 2 colours that are not in the map: #15672c (2), #8ea946 (1)."
    )
    assert caught.value.colours == 2


def test_what_is_half_transparent_is_in_between() -> None:
    image = picture("RGBA")
    image.putpixel((0, 0), (42, 207, 89, 127))
    image.putpixel((2, 0), (42, 207, 89, 128))
    with pytest.raises(OtherColours, match=r"#2acf597f \(1\), #2acf5980 \(1\)"):
        convert(image, MAP, nearest=False)
    assert labels(image, nearest=True) == EXPECTED


def test_the_nearest_colour_decides_where_that_is_wanted() -> None:
    image = picture().resize((90, 20), Image.Resampling.BILINEAR)
    converted = convert(image, MAP, nearest=True)
    assert converted.nearest > 0
    found = np.asarray(converted.mask)
    assert set(found.ravel().tolist()) == {0, 1, 2}
    assert (found[:, 15] == 0).all()
    assert (found[:, 35] == 1).all()
    assert (found[:, 85] == 2).all()
    assert np.asarray(convert(picture(), MAP, nearest=True).mask).tolist() == EXPECTED


@pytest.mark.parametrize("nearest", [False, True])
@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_mask_of_class_numbers_is_not_taken_for_colours(mode: str, nearest: bool) -> None:
    grey = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).convert(mode)
    with pytest.raises(NotAMask, match="greyscale with the values 0, 1, 2, which may be class num"):
        convert(grey, MAP, nearest)


def test_a_grey_mask_with_a_grey_map() -> None:
    shades = number_classes([Entry(None, "a", code_of(128, 128, 128)), Entry(None, "b", GREEN)])
    grey = Image.fromarray(np.array([[0, 128, 130]], np.uint8))
    assert np.asarray(convert(grey, shades, nearest=True).mask).tolist() == [[0, 1, 1]]


@pytest.mark.parametrize("mode", ["I;16", "I", "F", "CMYK"])
def test_pictures_that_are_not_in_colour(mode: str) -> None:
    with pytest.raises(NotAMask, match=f"of the kind {mode}"):
        convert(Image.new(mode, (2, 2)), MAP, nearest=True)


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.integers(0, 2)),
    st.sampled_from(["RGB", "RGBA", "P"]),
)
def test_painting_and_converting_gives_the_labels_back(numbers: np.ndarray, mode: str) -> None:
    colours = np.array([(0, 0, 0), (42, 207, 89), (242, 131, 51)], np.uint8)
    painted = Image.fromarray(colours[numbers])
    image = painted.quantize(3) if mode == "P" else painted.convert(mode)
    if mode == "P" and image.convert("RGB").tobytes() != painted.tobytes():
        return  # Pillow's choice of three colours is not always these three
    assert labels(image) == numbers.tolist()
    assert codes_of(image).shape == numbers.shape
