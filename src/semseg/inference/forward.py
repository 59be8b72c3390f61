"""Runs a graph."""

from typing import Any

import mxnet as mx

from semseg.networks.graph import DATA, Graph


class Forward:
    """A graph that can be run, at any size.

    MXNet can prepare itself for one size: memory is laid out and weights are brought into oneDNN's
    order once, and the second image of this size finds all that done. For images of ever new sizes
    such preparations cost more than they save. So only a size that comes twice in a row gets them.

    Args:
        graph: what to compute.
        device: MXNet context.
    """

    def __init__(self, graph: Graph, device: Any) -> None:
        names = graph.symbol.list_inputs()
        self._symbol = graph.symbol
        self._data = names.index(DATA)
        self._values = {
            place: graph.parameters[name].as_in_context(device)
            for place, name in enumerate(names)
            if name != DATA
        }
        self._for_any_size = mx.nd.CachedOp(self._symbol)
        self._for_one_size: Any = None
        self._last_shape: tuple[int, ...] | None = None

    def __call__(self, batch: Any) -> Any:
        """The graph's output for normalized images, NDArray float32 (N,3,H,W)."""
        inputs = [self._values.get(place, batch) for place in range(len(self._values) + 1)]
        return self._compiled(batch.shape)(*inputs)

    def _compiled(self, shape: tuple[int, ...]) -> Any:
        if shape != self._last_shape:
            self._last_shape = shape
            self._for_one_size = None
            return self._for_any_size
        if self._for_one_size is None:
            self._for_one_size = mx.nd.CachedOp(
                self._symbol,
                [
                    ("static_alloc", True),
                    ("static_shape", True),
                    ("data_indices", [self._data]),
                    ("param_indices", list(self._values)),
                ],
            )
        return self._for_one_size
