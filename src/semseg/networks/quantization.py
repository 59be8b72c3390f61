"""A graph in int8: the ranges that its tensors have, and the graph that computes with 8 bits.

Weights get a scale for each output channel, tensors between layers one scale each, from the least
and the greatest value seen on sample images. On networks trained here that agrees with float32 as
well as MXNet's entropy calibration, which takes several times as long.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np
import numpy.typing as npt
from mxnet.contrib.quantization import calib_graph, quantize_graph

from semseg.networks.graph import DATA, Graph
from semseg.networks.thresholds import Ranges
from semseg.sagemaker.errors import CustomerError

# oneDNN's fused operators that have an int8 form. They exist on CPUs only.
_FUSED = "MKLDNN_QUANTIZE"


class Calibration:
    """Watches the tensors that become int8 while a network computes images.

    Args:
        graph: the network in float32, its batch normalization folded.
    """

    def __init__(self, graph: Graph) -> None:
        fused = graph.symbol.get_backend_symbol(_FUSED)
        wanted = _without_ranges(fused, graph.parameters).wanted
        inside = fused.get_internals()
        places = [place for place, name in enumerate(inside.list_outputs()) if name in wanted]
        extremes = [find(inside[place]) for place in places for find in (mx.sym.min, mx.sym.max)]
        self._names = [inside.list_outputs()[place] for place in places]
        self._inputs = mx.sym.Group(extremes).list_inputs()
        self._values = graph.parameters
        self._compiled = mx.nd.CachedOp(mx.sym.Group(extremes), [])
        self._limits = np.tile(np.array([np.inf, -np.inf]), (len(places), 1))
        self.images = 0

    def watch(self, images: npt.NDArray[np.float32]) -> None:
        """Computes normalized images (N,3,H,W) and widens the ranges to what they bring."""
        batch = mx.nd.array(images)
        found = self._compiled(
            *(batch if name == DATA else self._values[name] for name in self._inputs)
        )
        limits = np.array([value.asscalar() for value in found], float).reshape(-1, 2)
        self._limits[:, 0] = np.minimum(self._limits[:, 0], limits[:, 0])
        self._limits[:, 1] = np.maximum(self._limits[:, 1], limits[:, 1])
        self.images += len(images)

    def ranges(self) -> Ranges:
        """What was seen. Tensors of one name, as blocks used several times have, share a range.

        Raises:
            CustomerError: the network's values are infinite, or not numbers.
        """
        if not np.isfinite(self._limits).all():
            raise CustomerError(
                "The model cannot be quantized: on these images it computes values that are "
                "infinite or no numbers. Train it again, with a lower learning_rate."
            )
        ranges: dict[str, tuple[float, float]] = {}
        for name, (low, high) in zip(self._names, self._limits.tolist(), strict=True):
            known = ranges.get(name, (low, high))
            ranges[name] = min(low, known[0]), max(high, known[1])
        return ranges


def quantized(graph: Graph, ranges: Ranges) -> Graph:
    """The graph that computes in int8 what oneDNN can, from images and to logits in float32.

    Args:
        graph: the network in float32, its batch normalization folded.
        ranges: of `Calibration`, for this network.

    Raises:
        CustomerError: the ranges are those of another network.
    """
    fused = graph.symbol.get_backend_symbol(_FUSED)
    blank = _without_ranges(fused, graph.parameters)
    if blank.wanted != set(ranges):
        differences = sorted(blank.wanted ^ set(ranges))
        raise CustomerError(
            f"The int8 thresholds belong to another network or another version of this program: "
            f"{len(differences)} of them differ, among them {differences[0]}. Make them anew: "
            "`semseg quantize ARTIFACT IMAGES`."
        )
    blank.collector.min_max_dict = _as_computed(fused, ranges)
    symbol, values, _ = calib_graph(
        blank.symbol, dict(graph.parameters), {}, blank.collector, "naive", "auto"
    )
    return Graph(symbol.get_backend_symbol(_FUSED), values)


@dataclass(frozen=True)
class _Blank:
    """A graph in int8 that does not know its ranges yet.

    Attributes:
        symbol: MXNet's graph.
        wanted: the tensors whose ranges it needs.
        collector: takes the ranges to MXNet.
    """

    symbol: Any
    wanted: set[str]
    collector: Any


def _without_ranges(fused: Any, parameters: Mapping[str, Any]) -> _Blank:
    symbol, _, _, collector = quantize_graph(
        fused,
        dict(parameters),
        {},
        calib_mode="naive",
        quantized_dtype="auto",
        quantize_mode="smart",
    )
    return _Blank(symbol, set(collector.include_layer), collector)


def _as_computed(fused: Any, ranges: Ranges) -> Ranges:
    """The ranges that MXNet must be told for its fused sums to have those that were seen.

    A fused sum is written over the residual that it adds, in the residual's type. After ReLU that
    is unsigned, with 255 steps for a range. The residual of a stage's first block has no ReLU, nor
    has what PSP's head adds of the whole image: they are signed and have 127 steps. MXNet counts
    255 all the same, so that all above the middle of the range would be cut off.
    """
    nodes = json.loads(fused.tojson())["nodes"]
    told = dict(ranges)
    for node in nodes:
        if node.get("attrs", {}).get("with_postsum_act") == "true":
            residual = nodes[node["inputs"][-1][0]]
            if ranges[_output(residual)][0] < 0:
                low, high = ranges[_output(node)]
                told[_output(node)] = 2 * low, 2 * high
    return told


def _output(node: Mapping[str, Any]) -> str:
    return f"{node['name']}_output"
