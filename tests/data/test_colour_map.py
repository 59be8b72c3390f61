import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.colour_map import BLACK, ColourMap, Entry, number_classes
from semseg.data.colours import TRANSPARENT, channels_of, code_of

WHITE, RED, GREEN = code_of(255, 255, 255), code_of(255, 0, 0), code_of(0, 255, 0)
channels = st.tuples(*[st.integers(0, 255)] * 3)
opaque = channels.map(lambda one: code_of(*one))
anything = st.one_of(
    opaque, st.tuples(channels, st.integers(0, 255)).map(lambda one: code_of(*one[0], one[1]))
)
colour_maps = st.lists(opaque, min_size=1, max_size=12, unique=True).map(
    lambda colours: number_classes([Entry(None, f"class {code}", code) for code in colours])
)


def numbers(*entries: tuple[int | None, str, int]) -> dict[int, int]:
    return number_classes([Entry(*entry) for entry in entries]).numbers


def test_without_a_ground_the_classes_follow_it() -> None:
    colour_map = number_classes([Entry(None, "car", RED), Entry(None, "tree", GREEN)])
    assert colour_map.numbers == {TRANSPARENT: 0, BLACK: 0, RED: 1, GREEN: 2}
    assert (colour_map.ground, colour_map.num_classes) == (0, 3)
    assert [one.name for one in colour_map.classes] == ["(ground)", "car", "tree"]


@pytest.mark.parametrize("name", ["background", "BACKGROUND", "_background_", "__Background__"])
def test_a_class_called_background_is_the_ground(name: str) -> None:
    found = numbers((None, name, WHITE), (None, "car", RED))
    assert found == {WHITE: 0, RED: 1, TRANSPARENT: 0, BLACK: 0}


@pytest.mark.parametrize("colour", [BLACK, TRANSPARENT])
def test_a_black_or_transparent_class_is_the_ground(colour: int) -> None:
    found = numbers((None, "street", colour), (None, "car", RED))
    assert found == {TRANSPARENT: 0, BLACK: 0, RED: 1}


def test_a_name_says_more_than_a_colour() -> None:
    found = numbers((None, "road", BLACK), (None, "background", WHITE))
    assert found == {BLACK: 0, WHITE: 1, TRANSPARENT: 1}


def test_ground_truths_keys_are_the_class_numbers() -> None:
    found = numbers((2, "tree", GREEN), (0, "BACKGROUND", WHITE), (1, "car", RED))
    assert found == {WHITE: 0, RED: 1, GREEN: 2, TRANSPARENT: 0, BLACK: 0}


def test_keys_that_leave_0_to_the_ground_stay() -> None:
    assert numbers((1, "car", RED), (5, "tree", GREEN)) == {
        TRANSPARENT: 0,
        BLACK: 0,
        RED: 1,
        GREEN: 5,
    }


def test_keys_that_do_not_leave_0_to_the_ground_all_move_up() -> None:
    assert numbers((0, "car", RED), (1, "tree", GREEN)) == {
        TRANSPARENT: 0,
        BLACK: 0,
        RED: 1,
        GREEN: 2,
    }


def test_the_palette_shows_the_classes_in_their_colours() -> None:
    palette = number_classes([Entry(None, "car", RED)]).palette
    assert palette == [0, 0, 0, 255, 0, 0] + [0] * (254 * 3)


@given(colour_maps, st.data())
def test_looking_up_knows_exactly_the_maps_colours(
    colour_map: ColourMap, data: st.DataObject
) -> None:
    codes = data.draw(st.lists(st.sampled_from([*colour_map.numbers]) | anything, min_size=1))
    labels, other = colour_map.look_up(np.array(codes, np.uint32))
    for code, label, is_other in zip(codes, labels.tolist(), other.tolist(), strict=True):
        assert is_other is (code not in colour_map.numbers)
        assert is_other or label == colour_map.numbers[code]


@given(colour_maps, st.lists(anything, min_size=1, max_size=30))
def test_the_nearest_colour_is_nearest(colour_map: ColourMap, codes: list[int]) -> None:
    def distance(first: int, second: int) -> int:
        pair = channels_of(np.array([first, second], np.uint32)).astype(int)[:, :3]
        return int(((pair[0] - pair[1]) ** 2).sum())

    candidates = {code: number for code, number in colour_map.numbers.items() if code}
    labels = colour_map.nearest(np.array(codes, np.uint32)).tolist()
    for code, label in zip(codes, labels, strict=True):
        if code & 255 < 128:
            assert label == colour_map.ground
        else:
            best = min(distance(code, other) for other in candidates)
            winners = [n for other, n in candidates.items() if distance(code, other) == best]
            assert label == min(winners)
