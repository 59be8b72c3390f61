"""The order of a stream, mixed as well as a bounded memory allows."""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import TypeVar

T = TypeVar("T")


def shuffled(
    items: Iterable[T], size: Callable[[T], int], rng: Random, most_items: int, most_bytes: int
) -> Iterator[T]:
    """All items in random order, of which at most so many, and so many bytes, are held at a time.

    Whatever fits is held first; then each new item takes the place of a random one. So an item may
    come any time later than its turn, but never more than `most_items` places earlier; what fits
    altogether is in an order as good as any other.
    """
    held: list[T] = []
    total = 0
    for item in items:
        held.append(item)
        total += size(item)
        while len(held) > most_items or (total > most_bytes and len(held) > 1):
            drawn = _draw(held, rng)
            total -= size(drawn)
            yield drawn
    while held:
        yield _draw(held, rng)


def _draw(held: list[T], rng: Random) -> T:
    """A random item, taken out; the last one takes its place."""
    index = rng.randrange(len(held))
    held[index], held[-1] = held[-1], held[index]
    return held.pop()
