from random import Random

from hypothesis import given
from hypothesis import strategies as st

from semseg.data.shuffling import shuffled


def order(count: int, most_items: int, seed: int = 0, most_bytes: int = 10**9) -> list[int]:
    return list(shuffled(range(count), lambda _: 1, Random(seed), most_items, most_bytes))


@given(
    sizes=st.lists(st.integers(0, 50), max_size=60),
    most_items=st.integers(1, 20),
    most_bytes=st.integers(0, 200),
)
def test_everything_comes_once_and_not_before_it_is_there(
    sizes: list[int], most_items: int, most_bytes: int
) -> None:
    read: list[int] = []
    out: list[int] = []

    def items():
        for number in range(len(sizes)):
            held = {*read} - {*out}
            assert len(held) <= most_items
            assert len(held) <= 1 or sum(sizes[one] for one in held) <= most_bytes
            read.append(number)
            yield number

    for item in shuffled(items(), lambda one: sizes[one], Random(1), most_items, most_bytes):
        assert item in read
        out.append(item)
    assert sorted(out) == list(range(len(sizes)))


def test_a_seed_gives_an_order() -> None:
    assert order(100, 20) == order(100, 20)
    assert order(100, 20) != order(100, 20, seed=1)


def test_what_fits_is_mixed_altogether() -> None:
    """In 300 orders of ten, each is first about 30 times."""
    first = [order(10, 10, seed)[0] for seed in range(300)]
    assert all(15 <= first.count(number) <= 50 for number in range(10))


def test_what_does_not_fit_is_mixed_as_far_as_it_does() -> None:
    found = order(1000, 100)
    assert found != sorted(found)
    assert all(item <= place + 100 for place, item in enumerate(found))
    moved = [abs(item - place) for place, item in enumerate(found)]
    assert sum(moved) / len(moved) > 30
