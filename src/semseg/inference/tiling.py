"""How a large image is cut into windows that overlap, and what is made of them put together.

All is counted in cells: the head's logits have one for each 8x8 pixels. Windows start at cells, so
that a window's cells are the same as the whole image's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil

import numpy as np
import numpy.typing as npt

CELL = 8  # pixels

# Within so many cells neighbouring windows take over from each other.
_BLEND = 16

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """A window along one axis.

    Attributes:
        start: its first cell.
        stop: the cell after its last.
        weights: for each cell, how much this window has to say beside its neighbours: float32,
            0 near an edge that has a neighbour, and 1 where there is no other.
        own: the cells that this window stands for where each may count only once, from `start`.
    """

    start: int
    stop: int
    weights: Weights
    own: slice

    @property
    def cells(self) -> slice:
        return slice(self.start, self.stop)

    def pixels(self, side: int) -> slice:
        """The window's pixels along an axis of `side` pixels."""
        return slice(self.start * CELL, min(self.stop * CELL, side))


Window = tuple[Span, Span]


def cells_of(side: int) -> int:
    """How many cells there are along an axis of `side` pixels."""
    return ceil(side / CELL)


def computed_pixels(height: int, width: int) -> int:
    """How many pixels a network computes: those of whole cells.

    An image one pixel high takes as much time and memory as if it were eight pixels high.
    """
    return cells_of(height) * cells_of(width) * CELL**2


def windows(height: int, width: int, most_pixels: int, margin: int) -> list[Window]:
    """The windows of an image, in rows from the top; all have the same size in cells.

    Args:
        height: pixels.
        width: pixels.
        most_pixels: of a window, but for very small numbers.
        margin: cells along an edge with a neighbour where a window has nothing to say; fewer, where
            windows are so small that little would be left.
    """
    rows, columns = cells_of(height), cells_of(width)
    most_cells = most_pixels // CELL**2
    side = max(int(most_cells**0.5), 4 * _BLEND)
    tall = _spans(rows, max(side, most_cells // columns), margin)
    wide = _spans(columns, max(side, most_cells // rows), margin)
    return list(product(tall, wide))


def blended(
    sizes: tuple[int, int], parts: Iterator[tuple[Window, npt.NDArray[np.float32]]]
) -> npt.NDArray[np.float32]:
    """The whole of the windows' values (C,h,w): float32 (C,*sizes), sizes being cells."""
    whole: npt.NDArray[np.float32] | None = None
    for (rows, columns), values in parts:
        if whole is None:
            whole = np.zeros((len(values), *sizes), np.float32)
        weights = rows.weights[:, None] * columns.weights
        whole[:, rows.cells, columns.cells] += values * weights
    assert whole is not None
    return whole


def _spans(cells: int, most: int, margin: int) -> list[Span]:
    if cells <= most:
        return [Span(0, cells, np.ones(cells, np.float32), slice(0, cells))]
    overlap = 2 * min(margin, most // 4) + _BLEND
    count = ceil((cells - overlap) / (most - overlap))
    length = ceil((cells + (count - 1) * overlap) / count)
    starts = [round(number * (cells - length) / (count - 1)) for number in range(count)]
    middles = [(start + before + length) / 2 for before, start in pairwise(starts)]
    return [
        _span(start, start + length, before, after)
        for start, before, after in zip(starts, [None, *middles], [*middles, None], strict=True)
    ]


def _span(start: int, stop: int, before: float | None, after: float | None) -> Span:
    """A span whose neighbours take over around the places `before` and `after`."""
    places = np.arange(start, stop, dtype=np.float32) + 0.5
    weights = np.ones(stop - start, np.float32)
    first, last = 0, stop - start
    if before is not None:
        weights = _taking_over(places, before)
        first = int(before) - start
    if after is not None:
        # Less what the next one has taken over, and not times what it has not: so that all weights
        # add up to 1 even where windows are so close that a third has a say.
        weights -= _taking_over(places, after)
        last = int(after) - start
    return Span(start, stop, weights, slice(first, last))


def _taking_over(places: Weights, middle: float) -> Weights:
    """From 0 to 1 around a place."""
    return np.clip((places - middle) / _BLEND + 0.5, 0, 1).astype(np.float32)
