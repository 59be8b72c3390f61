from typing import Any

import pytest
from PIL import Image

from semseg.data.label_maps import DEFAULT, LabelMap, parse_label_map
from semseg.data.mixups import is_mixed_up
from semseg.data.pairs import Pair
from semseg.data.sources import StreamRecord
from semseg.sagemaker.recordio import Record
from tests.data.records import encoded, image, mask


def pair(first: bytes, second: bytes, label_map: LabelMap = DEFAULT) -> Pair:
    image, mask = (
        StreamRecord("train_0", Record(n, 0, payload)) for n, payload in enumerate((first, second))
    )
    return Pair("0", image, mask, label_map)


def grey(value: int) -> bytes:
    picture = Image.linear_gradient("L").resize((24, 16)).point(lambda pixel: pixel % value)
    return encoded(picture, "PNG")


MIXED_UP = {
    "the mask first": (mask(0), image()),
    "the mask first, and a PNG second": (mask(0, 200), image(kind="PNG")),
    "the same mask twice": (mask(0), mask(0)),
    "two masks": (mask(0, 1), mask(0, 2)),
    "two masks with 255": (mask(0, 1, 255), mask(1)),
    "two masks with a palette": (mask(0, 1, mode="P"), mask(0, mode="P")),
}
SOUND = {
    "an image and its mask": (image(), mask(0, 1)),
    "a PNG and its mask": (image(kind="PNG"), mask(0, 1)),
    "a greyscale PNG": (grey(256), mask(0, 1)),
    "a black PNG": (mask(0), mask(0, 1)),
    "a black and white PNG": (mask(0, 255), mask(0, 1)),
    "a drawing with a palette of its own": (mask(0, 1, mode="P"), mask(0, 1, mode="P", palette=3)),
    "a drawing with a palette": (mask(0, 1, mode="P"), mask(0, 1)),
    "an image that cannot be read": (mask(0, 1)[:40], mask(0, 1)),
    "a mask that cannot be read": (mask(0, 1), mask(0, 1)[:40]),
    "no image": (b"", b""),
}


@pytest.mark.parametrize(("first", "second"), MIXED_UP.values(), ids=MIXED_UP.keys())
def test_a_mask_where_an_image_should_be(first: bytes, second: bytes) -> None:
    assert is_mixed_up(pair(first, second), num_classes=3)


@pytest.mark.parametrize(("first", "second"), SOUND.values(), ids=SOUND.keys())
def test_an_image_where_it_should_be(first: bytes, second: bytes) -> None:
    assert not is_mixed_up(pair(first, second), num_classes=3)


def test_with_many_classes_any_greyscale_image_could_be_a_mask() -> None:
    assert is_mixed_up(pair(grey(60), mask(0, 1)), num_classes=60)
    assert not is_mixed_up(pair(grey(60), mask(0, 1)), num_classes=250)


@pytest.mark.parametrize(
    ("content", "value", "expected"),
    [
        ({"map": {"0": 0, "1": 128}}, 128, True),
        ({"map": {"0": 0, "1": 128}}, 100, False),
        ({"map": {"0": 0, "1": 255}}, 255, False),
        ({"scale": 2}, 4, True),
        ({"scale": 50}, 50, False),
    ],
)
def test_a_mask_is_told_by_the_values_of_its_label_map(
    content: dict[str, Any], value: int, expected: bool
) -> None:
    label_map = parse_label_map(content, num_classes=3)
    assert is_mixed_up(pair(mask(0, value), mask(0), label_map), num_classes=3) is expected
