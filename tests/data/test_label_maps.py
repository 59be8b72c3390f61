import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from semseg.data.label_maps import DEFAULT, InvalidLabelMap, UnmappedValue, parse_label_map

masks = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)))
small_numbers = st.integers(-3, 300)
# Whatever may stand in a JSON file, with numbers and names that come near to being right.
json_values = st.recursive(
    st.none()
    | st.booleans()
    | small_numbers
    | st.floats()
    | st.integers()
    | st.text()
    | small_numbers.map(str),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(small_numbers.map(str) | st.text(), inner, max_size=4)
    ),
    max_leaves=8,
)
json_objects = st.dictionaries(
    st.sampled_from(["scale", "map", "Map", "0"]), json_values, max_size=3
)


@st.composite
def maps(draw: st.DrawFn) -> tuple[int, dict[int, int]]:
    """A number of classes, and pixel values by label, each value once."""
    num_classes = draw(st.integers(2, 254))
    count = draw(st.integers(1, min(num_classes, 20)))
    labels = draw(st.lists(st.integers(0, num_classes - 1), min_size=count, unique=True))[:count]
    values = draw(st.permutations(range(256)))[: len(labels)]
    return num_classes, dict(zip(labels, values, strict=True))


def apply(content: dict[str, Any], pixels: object, num_classes: int = 254) -> list[list[int]]:
    mask = Image.fromarray(np.asarray(pixels, np.uint8))
    labels = parse_label_map(content, num_classes).apply(mask)
    assert labels.mode == "L"
    assert labels.size == mask.size
    return np.asarray(labels).tolist()


def complaints(content: dict[str, Any], num_classes: int = 3) -> tuple[str, ...]:
    with pytest.raises(InvalidLabelMap) as caught:
        parse_label_map(content, num_classes)
    return caught.value.complaints


def test_awss_own_examples() -> None:
    assert apply({"scale": "3"}, [[0, 3, 6]]) == [[0, 1, 2]]
    assert apply({"map": {"0": 5, "1": 0, "2": 2}}, [[0, 5, 2]]) == [[1, 0, 2]]
    assert apply({"scale": "1"}, [[0, 7, 255]]) == [[0, 7, 255]]
    assert apply({"scale": 1}, [[0, 7, 255]]) == [[0, 7, 255]]


def test_255_is_ignored_unless_a_map_names_it() -> None:
    assert apply({"scale": 2}, [[254, 255]]) == [[127, 255]]
    assert apply({"map": {"0": 0, "1": 7}}, [[7, 255]]) == [[1, 255]]
    assert apply({"map": {"0": 0, "1": 255}}, [[0, 255]]) == [[0, 1]]


def test_a_map_can_ignore_values_and_give_several_one_label() -> None:
    assert apply({"map": {"0": [0, 9], "1": "8", "255": 3}}, [[0, 9, 8, 3]]) == [[0, 0, 1, 255]]


def test_without_a_map_a_mask_stays_what_it_is() -> None:
    mask = Image.new("L", (3, 2), 77)
    assert DEFAULT.apply(mask) is mask


@given(masks, st.integers(1, 254), st.sampled_from([int, str, float]))
def test_a_scale_is_a_division_rounded_down(
    pixels: np.ndarray, scale: int, kind: type[object]
) -> None:
    found = apply({"scale": kind(scale) if kind is not str else f" {scale}"}, pixels)
    np.testing.assert_array_equal(found, np.where(pixels == 255, 255, pixels // scale))


@given(maps(), st.data())
def test_a_map_gives_each_value_the_label_that_names_it(
    case: tuple[int, dict[int, int]], data: st.DataObject
) -> None:
    num_classes, values = case
    labels = {value: label for label, value in values.items()}
    known = st.sampled_from([*labels, 255])
    pixels = data.draw(arrays(np.uint8, (4, 5), elements=known))
    written = {
        str(label): data.draw(st.sampled_from([value, str(value)]))
        for label, value in values.items()
    }
    found = apply({"map": written}, pixels, num_classes)
    expected = [[labels.get(value, 255) for value in row] for row in pixels.tolist()]
    assert found == expected


@given(maps(), masks)
def test_a_value_without_a_label_is_never_let_through(
    case: tuple[int, dict[int, int]], pixels: np.ndarray
) -> None:
    num_classes, values = case
    content = {"map": {str(label): value for label, value in values.items()}}
    label_map = parse_label_map(content, num_classes)
    unknown = sorted({*pixels.ravel().tolist()} - {*values.values(), 255})
    mask = Image.fromarray(pixels)
    if not unknown:
        labels = np.asarray(label_map.apply(mask))
        assert {*labels.ravel().tolist()} <= {*values, 255}
        return
    with pytest.raises(UnmappedValue) as caught:
        label_map.apply(mask)
    for value in unknown[:5]:
        assert f" {value} ({(pixels == value).sum()} pixel" in str(caught.value)


@given(maps(), masks)
def test_counting_labels_is_counting_what_the_map_makes(
    case: tuple[int, dict[int, int]], pixels: np.ndarray
) -> None:
    num_classes, values = case
    content = {"map": {str(label): value for label, value in values.items()}}
    label_map = parse_label_map(content, num_classes)
    pixels = np.where(np.isin(pixels, [*values.values()]), pixels, 255).astype(np.uint8)
    mask = Image.fromarray(pixels)
    assert label_map.count(mask.histogram()) == label_map.apply(mask).histogram()


@given(json_objects, st.integers(2, 254))
def test_whatever_a_file_holds_is_a_map_or_is_refused_in_words(
    content: dict[str, Any], num_classes: int
) -> None:
    content = json.loads(json.dumps(content))
    label_map, found = None, ()
    try:
        label_map = parse_label_map(content, num_classes)
    except InvalidLabelMap as error:
        found = error.complaints
    assert (label_map is None) is bool(found)
    assert all(text.endswith(".") and text.isprintable() for text in found)
    if label_map:
        allowed = range(num_classes) if "map" in content else range(255)
        assert len(label_map.labels) == 256
        assert {*label_map.labels} <= {*allowed, 255, None}


@pytest.mark.parametrize("scale", [0, -1, 255, "0", "1.5", 2.5, True, None, "x", [1], 10**30, "٣"])
def test_scales_that_are_none(scale: object) -> None:
    (text,) = complaints({"scale": scale})
    assert text.startswith("scale is ")
    assert "allowed: a whole number from 1 to 254." in text


def test_the_scale_255_is_told_how_to_write_what_it_means() -> None:
    assert '{"map": {"0": 0, "1": 255}}' in complaints({"scale": "255"})[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "it has neither scale nor map"),
        ({"scale": 1, "map": {"0": 0}}, "scale and map cannot stand together"),
        (
            {"map": {"0": 0}, "mapp": 1},
            "there is no key 'mapp', only scale and map; did you mean 'map'?",
        ),
        ({"map": []}, "map is [], and must be an object"),
        ({"map": {}}, "map is {}, and must be an object"),
        (
            {"map": {"3": 0}},
            "'3' is no label: with num_classes=3, labels are 0..2, or 255 to ignore",
        ),
        ({"map": {"-1": 0}}, "'-1' is no label"),
        ({"map": {"car": 0}}, "'car' is no label"),
        ({"map": {"0": -1}}, "label '0' has -1; pixel values are 0..255"),
        ({"map": {"0": "256"}}, "label '0' has '256'; pixel values are 0..255"),
        ({"map": {"0": [1, 2.5]}}, "label '0' has 2.5; pixel values are 0..255"),
        ({"map": {"0": 4, "1": "4"}}, "the pixel value 4 is given to label '0' and to label '1'"),
        ({"map": {"1": 4, "01": 5}}, "'1' and '01' are the same label"),
    ],
)
def test_each_mistake_is_named(content: dict[str, Any], words: str) -> None:
    assert any(words in text for text in complaints(content))


def test_all_mistakes_are_named_at_once() -> None:
    found = complaints({"map": {"7": 0, "0": 300, "1": 5, "2": 5}, "scale": 0, "sale": 1})
    assert len(found) == 6


def test_a_map_with_values_and_labels_exchanged_is_recognized() -> None:
    first, second = complaints({"map": {"38": 1, "75": 2}})
    assert first.endswith("Is the map turned round? The label comes first, its pixel value second.")
    assert second.endswith("255 to ignore.")
    assert not any("turned round" in text for text in complaints({"map": {"38": 1, "75": 99}}))


def test_many_values_without_a_label_are_counted() -> None:
    label_map = parse_label_map({"map": {"0": 0}}, 2)
    with pytest.raises(UnmappedValue) as caught:
        label_map.apply(Image.fromarray(np.arange(12, dtype=np.uint8)[None]))
    assert str(caught.value) == (
        "The label map gives no label to the pixel values 1 (1 pixel), 2 (1 pixel), 3 (1 pixel),"
        " 4 (1 pixel), 5 (1 pixel) and 6 more: add what is missing to the map, or correct the mask."
    )
