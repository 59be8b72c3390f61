"""Runs a graph."""

from collections import OrderedDict
from typing import Any

import mxnet as mx

from semseg.networks.graph import DATA, Graph


class Forward:
    """A graph that can be run, at any size.

    MXNet can prepare itself for one size: memory is laid out and weights are brought into oneDNN's
    order once, and the second image of this size finds all that done. For images of ever new sizes
    such preparations cost more than they save. So only a size that comes again soon gets them.

    Args:
        graph: what to compute.
        device: MXNet context.
        sizes_kept: how many different sizes back is soon; as many preparations are kept, each with
            a copy of the weights.
    """

    def __init__(self, graph: Graph, device: Any, sizes_kept: int = 1) -> None:
        names = graph.symbol.list_inputs()
        self._symbol = graph.symbol
        self._data = names.index(DATA)
        self._values = {
            place: graph.parameters[name].as_in_context(device)
            for place, name in enumerate(names)
            if name != DATA
        }
        self._for_any_size = mx.nd.CachedOp(self._symbol)
        self._sizes_kept = sizes_kept
        self._recent: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def __call__(self, batch: Any) -> Any:
        """The graph's output for normalized images, NDArray float32 (N,3,H,W)."""
        inputs = [self._values.get(place, batch) for place in range(len(self._values) + 1)]
        return self._compiled(batch.shape)(*inputs)

    def _compiled(self, shape: tuple[int, ...]) -> Any:
        if shape not in self._recent:
            while len(self._recent) >= self._sizes_kept:
                self._recent.popitem(last=False)
            self._recent[shape] = None
            return self._for_any_size
        self._recent[shape] = self._recent.pop(shape) or self._prepared()
        return self._recent[shape]

    def _prepared(self) -> Any:
        return mx.nd.CachedOp(
            self._symbol,
            [
                ("static_alloc", True),
                ("static_shape", True),
                ("data_indices", [self._data]),
                ("param_indices", list(self._values)),
            ],
        )
