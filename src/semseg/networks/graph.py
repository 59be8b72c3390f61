"""A trained network as a graph of operators and its values: what is served, quantized, exported."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mxnet as mx

from semseg.networks.artifact import Artifact
from semseg.networks.base import MainPath, use_one_operator
from semseg.networks.loading import load_network

DATA = "data"


@dataclass(frozen=True)
class Graph:
    """Operators and values, for inference only.

    Attributes:
        symbol: MXNet's graph. Its input `DATA` takes normalized images, float32 (N,3,H,W) of any
            height and width, where nothing else is said.
        parameters: an NDArray on the CPU for each of the symbol's inputs that has a value, the
            statistics of batch normalization among them.
    """

    symbol: Any
    parameters: Mapping[str, Any]


def read_graph(artifact: Artifact, resized: bool = False, as_published: bool = False) -> Graph:
    """The graph of an artifact, without the auxiliary head.

    Operators and parameters have the same names in every process.

    Args:
        artifact: the trained model.
        resized: whether it ends with logits of the image's size (N,C,H,W), or with the head's own,
            (N,C,ceil(H/8),ceil(W/8)).
        as_published: whether others are to read it: then it has the published head rather than one
            that is cheaper to compute, and resizing is one operator; see `ResizeLike`.

    Raises:
        CustomerError: the parameters do not fit the network.
    """
    with mx.name.NameManager():  # or names would count the networks made before
        network = load_network(artifact, mx.cpu())
        if as_published:
            use_one_operator(network)
        head = network.head if as_published else network.inference_head()
        path = MainPath(network, resized, head)
        symbol = path(mx.sym.var(DATA))
    return graph_of(symbol, path)


def graph_of(symbol: Any, block: Any) -> Graph:
    """A symbol that was made by a block, with the block's values."""
    parameters = block.collect_params()
    names = (name for name in symbol.list_inputs() if name in parameters)
    return Graph(symbol, {name: parameters[name].data() for name in names})


def symbol_of_json(
    content: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], heads: Sequence[Sequence[int]]
) -> Any:
    """MXNet's graph from its JSON, with other nodes and outputs than that has.

    Args:
        content: of `Symbol.tojson`.
        nodes: each after those it reads.
        heads: the outputs, as places in `nodes`.
    """
    changed = {
        **content,
        "nodes": nodes,
        "arg_nodes": [number for number, node in enumerate(nodes) if node["op"] == "null"],
        "node_row_ptr": list(range(len(nodes) + 1)),
        "heads": heads,
    }
    return mx.sym.load_json(json.dumps(changed))


def fused(graph: Graph) -> Graph:
    """The same with convolutions, sums and activations as oneDNN's fused operators: CPUs only."""
    return Graph(graph.symbol.get_backend_symbol("MKLDNN"), graph.parameters)
