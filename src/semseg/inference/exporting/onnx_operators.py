"""MXNet's operators in ONNX's words: those that the three networks are made of, at a fixed size.

A `Node` is turned into ONNX nodes by the function that `TRANSLATIONS` has for its operator. Each
takes over the values of MXNet 1.9.1's documentation of the operator; an attribute that would need
another translation raises `Untranslatable`.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from semseg.networks.image_wide import averaging_matrix

Shape = tuple[int, ...]


class Untranslatable(ValueError):
    """An operator, or a way to use it, that none of the three networks has."""


@dataclass(frozen=True)
class Node:
    """One operator of the graph.

    Attributes:
        name: also of its output in ONNX.
        attributes: MXNet's, as text.
        inputs: names in ONNX.
        input_shape: of the first input.
        shape: of the output.
    """

    name: str
    attributes: Mapping[str, str]
    inputs: Sequence[str]
    input_shape: Shape
    shape: Shape

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute as a Python value; text that is no number, tuple or truth stays text."""
        text = self.attributes.get(name)
        if text is None:
            return default
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text

    def expect(self, **wanted: Any) -> None:
        """Makes sure that attributes have the values that the translation stands for."""
        for name, value in wanted.items():
            found = self.attribute(name, value)
            if found != value:
                raise Untranslatable(f"{self.name}: {name} is {found}, not {value}")


@dataclass(frozen=True)
class Piece:
    """What a node becomes: ONNX nodes, the last of which has its name, and constants they use."""

    nodes: Sequence[NodeProto]
    constants: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def _one(
    node: Node, operator: str, inputs: Sequence[str] | None = None, **attributes: Any
) -> Piece:
    chosen = node.inputs if inputs is None else inputs
    return Piece([helper.make_node(operator, chosen, [node.name], name=node.name, **attributes)])


def _convolution(node: Node) -> Piece:
    node.expect(layout="NCHW")
    return _one(
        node,
        "Conv",
        kernel_shape=node.attribute("kernel"),
        strides=node.attribute("stride", (1, 1)),
        dilations=node.attribute("dilate", (1, 1)),
        pads=node.attribute("pad", (0, 0)) * 2,
        group=node.attribute("num_group", 1),
    )


def _batch_norm(node: Node) -> Piece:
    node.expect(axis=1, fix_gamma=False)
    return _one(node, "BatchNormalization", epsilon=node.attribute("eps", 1e-3))


def _activation(node: Node) -> Piece:
    node.expect(act_type="relu")
    return _one(node, "Relu")


def _pooling(node: Node) -> Piece:
    node.expect(layout="NCHW")
    if node.attribute("global_pool", False):
        node.expect(pool_type="avg")
        return _one(node, "GlobalAveragePool")
    node.expect(pool_type="max", pooling_convention="valid")
    return _one(
        node,
        "MaxPool",
        kernel_shape=node.attribute("kernel"),
        strides=node.attribute("stride", (1, 1)),
        pads=node.attribute("pad", (0, 0)) * 2,
    )


def _adaptive_average(node: Node) -> Piece:
    """Averages over a grid of cells, as two matrix products: ONNX has no operator for it."""
    *_, height, width = node.input_shape
    *_, rows, columns = node.shape
    if (rows, columns) == (1, 1):
        return _one(node, "GlobalAveragePool")
    down, across = f"{node.name}_rows", f"{node.name}_columns"
    stripes = f"{node.name}_stripes"
    return Piece(
        [
            helper.make_node("MatMul", [down, node.inputs[0]], [stripes], name=stripes),
            helper.make_node("MatMul", [stripes, across], [node.name], name=node.name),
        ],
        {down: _averaging_matrix(height, rows).T.copy(), across: _averaging_matrix(width, columns)},
    )


def _averaging_matrix(points: int, cells: int) -> NDArray[np.float32]:
    with mx.cpu():
        matrix: NDArray[np.float32] = averaging_matrix(nd, nd.arange(points), cells).asnumpy()
    return matrix


def _resize(node: Node) -> Piece:
    sizes = f"{node.name}_size"
    piece = _one(
        node,
        "Resize",
        [node.inputs[0], "", "", sizes],
        axes=(2, 3),
        mode="linear",
        coordinate_transformation_mode="align_corners",
    )
    return Piece(piece.nodes, {sizes: np.array(node.shape[2:], np.int64)})


def _argmax(node: Node) -> Piece:
    return _one(node, "ArgMax", axis=node.attribute("axis"), keepdims=0)


def _cast(node: Node) -> Piece:
    node.expect(dtype="uint8")
    return _one(node, "Cast", to=TensorProto.UINT8)


TRANSLATIONS: Mapping[str, Callable[[Node], Piece]] = {
    "Activation": _activation,
    "BatchNorm": _batch_norm,
    "Cast": _cast,
    "Concat": lambda node: _one(node, "Concat", axis=node.attribute("dim")),
    "Convolution": _convolution,
    "Dropout": lambda node: _one(node, "Identity"),
    "Pooling": _pooling,
    "_contrib_AdaptiveAvgPooling2D": _adaptive_average,
    "_contrib_BilinearResize2D": _resize,
    "argmax": _argmax,
    "broadcast_mul": lambda node: _one(node, "Mul"),
    "broadcast_sub": lambda node: _one(node, "Sub"),
    "elemwise_add": lambda node: _one(node, "Add"),
    "softmax": lambda node: _one(node, "Softmax", axis=node.attribute("axis")),
}
