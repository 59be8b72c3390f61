"""What PSP and DeepLabV3 see of the whole image at once, and how to give it to them in parts."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from semseg.networks.base import bilinear_matrix, with_rows


class ImageWide(ABC):
    """A block with maps that are made of averages of the whole image, and spread over all of it.

    Whoever runs a network on parts of an image has to make the maps of all parts together, and to
    hand each part its share.

    Attributes:
        grids: for each map, how many cells a side the averages have.
        given: the sum of the maps, spread over the features (N,c,h,w), to be used as it is; where
            it is None, the maps are made from the features.
    """

    grids: tuple[int, ...]
    given: Any = None

    @abstractmethod
    def branches(self) -> tuple[Any, ...]:
        """For each map the block from averages (N,2048,g,g) to the map, (N,c,k,k)."""

    @staticmethod
    def interpolation(F: Any, fine: Any, cells: Any) -> Any:
        """What each point along a side of a map adds to each point along a side of the features.

        Args:
            F: `mxnet.nd` or `mxnet.sym`.
            fine: the features' points along an axis: 0..H-1.
            cells: the averages' cells along it: 0..g-1.

        Returns:
            float32 (H,k).
        """
        return bilinear_matrix(F, fine, cells)


def image_wide_of(head: Any) -> ImageWide:
    """The image-wide block of PSP's or DeepLabV3's head, or the head itself."""
    found: list[ImageWide] = []
    head.apply(lambda block: found.append(block) if isinstance(block, ImageWide) else None)
    return found[0]


def averaging_matrix(F: Any, places: Any, grid: int) -> Any:
    """What each of the `places` 0..H-1 adds to each of `grid` averages: float32 (H,grid).

    The borders are those of MXNet's `AdaptiveAvgPooling2D`, whose cells may share features.
    NDArrays must be in MXNet's current context.
    """
    side = F.max(places) + 1
    firsts = F.floor(F.broadcast_mul(F.arange(grid), side) / grid)
    stops = F.ceil(F.broadcast_mul(F.arange(1, grid + 1), side) / grid)
    column = F.expand_dims(places, 1)
    inside = F.broadcast_mul(
        F.broadcast_greater_equal(column, F.expand_dims(firsts, 0)),
        F.broadcast_lesser(column, F.expand_dims(stops, 0)),
    )
    return F.broadcast_div(inside, F.sum(inside, axis=0, keepdims=True))


def upsample_and_add(
    F: Any, maps: Iterable[Any], down: Iterable[Any], across: Iterable[Any]
) -> Any:
    """The sum of maps of different sizes, each spread over the features: (N,c,h,w).

    Args:
        F: `mxnet.nd` or `mxnet.sym`.
        maps: each (N,c,k,k).
        down: for each map, what its rows add to those of the features: (h,k).
        across: the same for columns: (w,k).
    """
    lines = (with_rows(F, one, rows) for one, rows in zip(maps, down, strict=True))
    return F.dot(F.concat(*lines, dim=3), F.concat(*across, dim=1), transpose_b=True)
