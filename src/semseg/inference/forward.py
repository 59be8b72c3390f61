"""Runs a graph."""

from collections import OrderedDict
from typing import Any

import mxnet as mx

from semseg.inference.tiling import computed_pixels
from semseg.networks.graph import DATA, Graph


class Forward:
    """A graph that can be run, at any size.

    MXNet can prepare itself for one size: memory is laid out and weights are brought into oneDNN's
    order once, and the second image of this size finds all that done: a tenth of the time. For
    images of ever new sizes such preparations cost more than they save, and they hold as much
    memory as an image takes. So only a size that comes again soon, and is not too large, gets them.

    Args:
        graph: what to compute.
        device: MXNet context.
        inputs: the symbol's inputs that have no value, in the order they are given in.
        sizes_kept: how many different sizes back is soon; as many preparations are kept, each with
            a copy of the weights.
        most_pixels: of a size that is prepared for. A larger one takes the place of one that is, as
            it may need the memory.
    """

    def __init__(
        self,
        graph: Graph,
        device: Any,
        inputs: tuple[str, ...] = (DATA,),
        sizes_kept: int = 1,
        most_pixels: int = 0,
    ) -> None:
        names = graph.symbol.list_inputs()
        self._symbol = graph.symbol
        self._places = [names.index(name) for name in inputs]
        self._values = {
            place: graph.parameters[name].as_in_context(device)
            for place, name in enumerate(names)
            if name not in inputs
        }
        self._for_any_size = mx.nd.CachedOp(self._symbol)
        self._sizes_kept = sizes_kept
        self._most_pixels = most_pixels
        self._recent: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def __call__(self, *batch: Any) -> Any:
        """The graph's output.

        Args:
            batch: an NDArray for each of `inputs`; the first, normalized images, is float32
                (N,3,H,W).
        """
        arrays = self._values | dict(zip(self._places, batch, strict=True))
        return self._compiled(batch[0].shape)(*(arrays[place] for place in range(len(arrays))))

    def _compiled(self, shape: tuple[int, ...]) -> Any:
        if shape not in self._recent:
            while len(self._recent) >= self._sizes_kept:
                self._recent.popitem(last=False)
            self._recent[shape] = None
            return self._for_any_size
        if computed_pixels(*shape[2:]) > self._most_pixels:
            return self._for_any_size
        self._recent[shape] = self._recent.pop(shape) or self._prepared()
        return self._recent[shape]

    def _prepared(self) -> Any:
        return mx.nd.CachedOp(
            self._symbol,
            [
                ("static_alloc", True),
                ("static_shape", True),
                ("data_indices", self._places),
                ("param_indices", list(self._values)),
            ],
        )
