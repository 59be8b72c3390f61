"""What PSP and DeepLabV3 see of the whole image, put together from its parts."""

from typing import Any

import numpy as np
import numpy.typing as npt
from mxnet import nd

from semseg.inference.forward import Forward
from semseg.inference.tiling import Span, Window
from semseg.networks.base import bilinear_shares
from semseg.networks.tile_graphs import TileGraphs

_Shares = npt.NDArray[np.float32]


class ImageWideMaps:
    """Collects the features of all parts of an image, then gives each part its share of the maps.

    The averages are exact: those of the untiled image, if the features are.

    Args:
        graphs: the network's parts.
        size: height and width of the image's features.
        device: MXNet context.
    """

    def __init__(self, graphs: TileGraphs, size: tuple[int, int], device: Any) -> None:
        self._graphs = graphs
        self._size = size
        self._device = device
        self._across = [_averaging(size[1], grid) for grid in graphs.grids]
        self._down = [_averaging(size[0], grid) for grid in graphs.grids]
        self._averages: list[Any] = [0.0 for _ in graphs.grids]
        self._maps: list[Any] = []

    def add(self, window: Window, features: Any) -> None:
        """Counts the window's own features in.

        Args:
            window: where the features are.
            features: NDArray (1,2048,h,w) of the whole window.
        """
        rows, columns = window
        own = features[0, :, rows.own, columns.own]
        across = np.concatenate([shares[:, _own(columns)] for shares in self._across])
        lines = nd.dot(own, nd.array(across.T, ctx=self._device)).asnumpy()
        column = 0
        for number, (grid, shares) in enumerate(zip(self._graphs.grids, self._down, strict=True)):
            cells = lines[:, :, column : column + grid]
            self._averages[number] += np.matmul(shares[:, _own(rows)], cells)
            column += grid

    def finish(self) -> None:
        """Makes the maps; all windows have been added."""
        self._maps = [
            Forward(branch, self._device)(nd.array(averages[None], ctx=self._device))
            for branch, averages in zip(self._graphs.branches, self._averages, strict=True)
        ]

    def share(self, window: Window) -> Any:
        """The window's share of all maps: NDArray (1,c,h,w)."""
        return nd.concat(*(self._spread(cells, window) for cells in self._maps), dim=1)

    def _spread(self, cells: Any, window: Window) -> Any:
        """A map's cells (1,c,g,g), resized to the features' size and cut to a window."""
        down, across = (
            bilinear_shares(nd, nd.arange(side), nd.arange(cells.shape[2]))[span.cells]
            for side, span in zip(self._size, window, strict=True)
        )
        down, across = (shares.as_in_context(self._device) for shares in (down, across))
        tall = nd.swapaxes(nd.dot(nd.swapaxes(cells, 2, 3), down, transpose_b=True), 2, 3)
        return nd.dot(tall, across, transpose_b=True)


def _own(span: Span) -> slice:
    """The cells that a window stands for, from the image's first."""
    return slice(span.start + span.own.start, span.start + span.own.stop)


def _averaging(side: int, grid: int) -> _Shares:
    """What each of `side` features adds to each of `grid` averages: (grid,side).

    The borders are those of MXNet's `AdaptiveAvgPooling2D`, whose cells may share features.
    """
    shares = np.zeros((grid, side), np.float32)
    for cell in range(grid):
        first, last = cell * side // grid, -(-(cell + 1) * side // grid)
        shares[cell, first:last] = 1 / (last - first)
    return shares
