"""What is exported: a graph of plain MXNet operators from an image's pixels to its classes."""

import json
from typing import Any, Literal

import mxnet as mx

from semseg.data.normalization import FACTOR, OFFSET
from semseg.networks.artifact import Artifact
from semseg.networks.graph import DATA, Graph, read_graph

RESIZE = "_contrib_BilinearResize2D"

Result = Literal["probabilities", "mask"]


def export_graph(artifact: Artifact, result: Result) -> Graph:
    """A trained model with the normalization before it and what clients ask for behind it.

    From `data`, RGB pixels from 0 to 255, float32 (N,3,H,W), of any height and width, to
    `probabilities`, float32 (N,C,H,W), each pixel's C values summing to 1; or to `mask`, the most
    probable class, uint8 (N,H,W). The output's name is the symbol's.

    Raises:
        CustomerError: the parameters do not fit the network.
    """
    network = read_graph(artifact, resized=True, as_published=True)
    pixels = mx.sym.var(DATA, dtype="float32")
    symbol = _classified(network.symbol(**{DATA: _normalized(pixels)}), result)
    constants = {"factor": mx.nd.array(FACTOR[None]), "offset": mx.nd.array(OFFSET[None])}
    return Graph(symbol, {**network.parameters, **constants})


def _normalized(pixels: Any) -> Any:
    factor, offset = (
        mx.sym.var(name, shape=(1, 3, 1, 1), dtype="float32") for name in ("factor", "offset")
    )
    scaled = mx.sym.broadcast_mul(pixels, factor, name="scaled")
    return mx.sym.broadcast_sub(scaled, offset, name="normalized")


def _classified(logits: Any, result: Result) -> Any:
    if result == "mask":
        return mx.sym.cast(mx.sym.argmax(logits, axis=1, name="classes"), "uint8", name="mask")
    return mx.sym.softmax(logits, axis=1, name="probabilities")


def shapes(symbol: Any, height: int, width: int) -> dict[str, tuple[int, ...]]:
    """The shape of every array in a graph, by MXNet's name of it, for one image of this size."""
    internals = symbol.get_internals()
    _, found, _ = internals.infer_shape(**{DATA: (1, 3, height, width)})
    return dict(zip(internals.list_outputs(), found, strict=True))


def with_fixed_size(symbol: Any, height: int, width: int) -> Any:
    """The graph for images of this size only, with numbers in the place of `mode='like'`.

    Compilers that want to know every shape (TVM, and SageMaker Neo with it) know
    `BilinearResize2D` by its height and width only.
    """
    known = shapes(symbol, height, width)
    graph = json.loads(symbol.tojson())
    for node in graph["nodes"]:
        if node["op"] == RESIZE:
            *_, rows, columns = known[f"{node['name']}_output"]
            node["attrs"] = {"height": str(rows), "width": str(columns)}
            del node["inputs"][1]
    return mx.sym.load_json(json.dumps(graph))
