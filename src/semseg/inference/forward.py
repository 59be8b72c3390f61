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
    memory as an image takes. So only a size that comes again soon, and is not too large, gets them,
    and an image that is too large has the memory of all of them.

    Args:
        graph: what to compute.
        device: MXNet context.
        inputs: the symbol's inputs that have no value, in the order they are given in.
        sizes_kept: how many different sizes back is soon; as many preparations are kept, each with
            a copy of the weights.
        most_pixels: of all sizes together that are prepared for, each counted once, whatever the
            number of images in a batch.
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

    def forget(self) -> None:
        """Gives back what is prepared, for something that needs the memory."""
        self._recent.clear()

    def _compiled(self, shape: tuple[int, ...]) -> Any:
        pixels = _pixels(shape)
        if pixels > self._most_pixels:
            self.forget()
            return self._for_any_size
        again, prepared = shape in self._recent, self._recent.pop(shape, None)
        room = self._most_pixels - (pixels if again else 0)
        while len(self._recent) >= self._sizes_kept or self._pixels_prepared() > room:
            self._recent.popitem(last=False)
        self._recent[shape] = (prepared or self._prepared()) if again else None
        return self._recent[shape] or self._for_any_size

    def _pixels_prepared(self) -> int:
        return sum(_pixels(shape) for shape, prepared in self._recent.items() if prepared)

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


def _pixels(shape: tuple[int, ...]) -> int:
    return computed_pixels(*shape[2:])
