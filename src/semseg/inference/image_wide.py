"""What PSP and DeepLabV3 see of the whole image, put together from its parts."""

from typing import Any

import numpy as np
from mxnet import nd

from semseg.inference.forward import Forward
from semseg.inference.tiling import Span, Window
from semseg.networks.image_wide import averaging_matrix, upsample_and_add
from semseg.networks.tile_graphs import TileGraphs


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
        self._device = device
        self._down, self._across = (
            [averaging_matrix(nd, nd.arange(side), grid).asnumpy() for grid in graphs.grids]
            for side in size
        )
        self._spreading = [
            [
                graphs.interpolation(nd, nd.arange(side), nd.arange(grid)).as_in_context(device)
                for grid in graphs.grids
            ]
            for side in size
        ]
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
        across = np.concatenate([matrix[_own(columns)] for matrix in self._across], axis=1)
        lines = nd.dot(own, nd.array(across, ctx=self._device)).asnumpy()
        column = 0
        for number, (grid, matrix) in enumerate(zip(self._graphs.grids, self._down, strict=True)):
            cells = lines[:, :, column : column + grid]
            self._averages[number] += np.matmul(matrix[_own(rows)].T, cells)
            column += grid

    def finish(self) -> None:
        """Makes the maps; all windows have been added."""
        self._maps = [
            Forward(branch, self._device)(nd.array(averages[None], ctx=self._device))
            for branch, averages in zip(self._graphs.branches, self._averages, strict=True)
        ]

    def share(self, window: Window) -> Any:
        """The window's share of all maps: NDArray (1,c,h,w)."""
        down, across = (
            [matrix[span.cells] for matrix in axis]
            for axis, span in zip(self._spreading, window, strict=True)
        )
        return upsample_and_add(nd, self._maps, down, across)


def _own(span: Span) -> slice:
    """The cells that a window stands for, from the image's first."""
    return slice(span.start + span.own.start, span.start + span.own.stop)
