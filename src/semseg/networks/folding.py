"""Batch normalization as part of the convolutions before it.

In inference it is a scale and a shift for each channel, which the convolution's own weights and
bias can take over. oneDNN's fused operators do so too, but MXNet makes them anew for each image
size, and then they fold all weights again: with ResNet-50 a tenth of the time of a 480x480 image.
"""

import json
from collections import Counter
from typing import Any

import mxnet as mx
import numpy as np

from semseg.networks.batch_norm import scale_and_shift
from semseg.networks.graph import Graph, symbol_of_json

_Node = dict[str, Any]


def fold_batch_normalization(graph: Graph) -> Graph:
    """The same network with the statistics folded into weights and biases.

    A normalization that does not follow a convolution, or one that others read too, stays.
    """
    content = json.loads(graph.symbol.tojson())
    nodes: list[_Node] = content["nodes"]
    readers = Counter(source for node in nodes for source, *_ in node["inputs"])
    readers.update(source for source, *_ in content["heads"])
    values = dict(graph.parameters)
    instead: dict[int, int] = {}
    for position, node in enumerate(nodes):
        source = node["inputs"][0][0] if node["op"] == "BatchNorm" else position
        if nodes[source]["op"] == "Convolution" and readers[source] == 1 and source != position:
            _fold(nodes, node, nodes[source], values)
            instead[position] = source
    return Graph(_without(content, instead), values)


def _fold(nodes: list[_Node], norm: _Node, convolution: _Node, values: dict[str, Any]) -> None:
    """Changes a convolution and its values so that the normalization after it has no work left."""
    place_of_beta = norm["inputs"][2][0]
    names = [nodes[place]["name"] for place, *_ in norm["inputs"][1:]]
    gamma, beta, mean, variance = (values.pop(name).asnumpy() for name in names)
    if _is_true(norm, "fix_gamma", "True"):
        gamma = np.ones_like(gamma)
    epsilon = float(norm["attrs"].get("eps", 1e-3))
    scale, shift = scale_and_shift(gamma, beta, mean, variance, epsilon)
    weight = nodes[convolution["inputs"][1][0]]["name"]
    if _is_true(convolution, "no_bias", "False"):
        convolution["attrs"]["no_bias"] = "False"
        convolution["inputs"].append([place_of_beta, 0, 0])
    else:
        bias = nodes[convolution["inputs"][2][0]]["name"]
        shift = shift + scale * values[bias].asnumpy()
    values[nodes[convolution["inputs"][2][0]]["name"]] = mx.nd.array(shift, dtype="float32")
    scaled = values[weight].asnumpy() * scale[:, None, None, None].astype(np.float32)
    values[weight] = mx.nd.array(scaled, dtype="float32")


def _is_true(node: _Node, attribute: str, default: str) -> bool:
    return str(node["attrs"].get(attribute, default)) in ("True", "1")


def _without(content: dict[str, Any], instead: dict[int, int]) -> Any:
    """The symbol of a graph's JSON where other nodes take the place of some."""
    order: list[_Node] = []
    places: dict[int, int] = {}

    def moved(entries: list[list[int]]) -> list[list[int]]:
        return [[place(source), *rest] for source, *rest in entries]

    def place(position: int) -> int:
        position = instead.get(position, position)
        if position not in places:
            node = content["nodes"][position]
            node = {**node, "inputs": moved(node["inputs"])}
            places[position] = len(order)
            order.append(node)
        return places[position]

    for position in range(len(content["nodes"])):  # in order: so no chain of calls gets deep
        place(position)
    return symbol_of_json(content, order, moved(content["heads"]))
