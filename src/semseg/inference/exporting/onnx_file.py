"""A trained network as an ONNX file, for images of one size."""

import json
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from semseg import __version__
from semseg.inference.exporting.checking import can_check, check_onnx
from semseg.inference.exporting.graph import shapes
from semseg.inference.exporting.onnx_operators import TRANSLATIONS, Node, Untranslatable
from semseg.networks.graph import DATA, Graph
from semseg.sagemaker.files import write_atomically

# The first with `axes` of Resize, by which the number of images stays open; IR 8 came with it.
_OPSET = 18
_IR_VERSION = 8
_IMAGES = "images"  # the name of the open dimension
_TYPES = {"probabilities": TensorProto.FLOAT, "mask": TensorProto.UINT8}


def write_onnx(file: Path, graph: Graph, height: int, width: int) -> str:
    """Writes a graph as an ONNX file, once it was checked; says what was written and found.

    Raises:
        AlgorithmError: ONNX Runtime is there and says something else than MXNet; there is no file.
    """
    model = onnx_model(graph, height, width)
    found = "not checked: onnxruntime is not installed"

    def write(temporary: Path) -> None:
        nonlocal found
        onnx.save(model, temporary)
        if can_check():
            outcome = check_onnx(temporary, graph, height, width)
            found = f"checked with ONNX Runtime: {outcome}"

    write_atomically(file, write)
    return f"{file}\n{graph.symbol.name} of images of {height}x{width}\n{found}"


def onnx_model(graph: Graph, height: int, width: int) -> ModelProto:
    """The graph in ONNX, for any number of images of this size.

    Inputs and outputs are the graph's: `data` in; `probabilities` or `mask` out.

    Raises:
        Untranslatable: the graph has an operator that none of the three networks has.
    """
    known = shapes(graph.symbol, height, width)
    entries = json.loads(graph.symbol.tojson())["nodes"]
    nodes: list[NodeProto] = []
    constants: list[TensorProto] = []
    for entry in entries:
        name = entry["name"]
        if entry["op"] == "null":
            if name != DATA:
                constants.append(numpy_helper.from_array(graph.parameters[name].asnumpy(), name))
            continue
        if entry["op"] not in TRANSLATIONS:
            raise Untranslatable(f"{name}: there is no translation of {entry['op']}")
        piece = TRANSLATIONS[entry["op"]](_node(entry, entries, known))
        nodes += piece.nodes
        constants += [numpy_helper.from_array(value, key) for key, value in piece.constants.items()]
    result = graph.symbol.name
    _, *sides = known[f"{result}_output"]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "semseg",
            [helper.make_tensor_value_info(DATA, TensorProto.FLOAT, [_IMAGES, 3, height, width])],
            [helper.make_tensor_value_info(result, _TYPES[result], [_IMAGES, *sides])],
            constants,
        ),
        producer_name="semseg",
        producer_version=__version__,
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _node(entry: Any, entries: Any, known: dict[str, tuple[int, ...]]) -> Node:
    """An entry of MXNet's JSON; its inputs are [number of an entry, of its output, version]."""
    sources = [entries[number] for number, *_ in entry["inputs"]]
    return Node(
        name=entry["name"],
        attributes=entry.get("attrs", {}),
        inputs=[source["name"] for source in sources],
        input_shape=_shape(sources[0], known),
        shape=_shape(entry, known),
    )


def _shape(entry: Any, known: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    name = entry["name"]
    return known[name if entry["op"] == "null" else f"{name}_output"]
