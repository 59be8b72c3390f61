from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

from semseg.inference.exporting import checking, onnx_file
from semseg.inference.exporting.onnx_operators import Untranslatable
from semseg.networks.graph import Graph
from semseg.sagemaker.errors import AlgorithmError


def graph_of(symbol: mx.sym.Symbol) -> Graph:
    return Graph(symbol, {})


@pytest.fixture
def graph() -> Graph:
    """The smallest network there is."""
    return graph_of(mx.sym.softmax(mx.sym.var("data"), axis=1, name="probabilities"))


def test_a_file_that_differs_is_not_kept(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "answer", lambda _, noise: np.full_like(noise, 0.5))
    file = tmp_path / "model.onnx"
    file.write_bytes(b"the one before")
    with pytest.raises(AlgorithmError, match="is not the model it was made of"):
        onnx_file.write_onnx(file, graph, 4, 5)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    assert file.read_bytes() == b"the one before"


def test_without_onnx_runtime_it_says_that_nothing_was_checked(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "can_check", lambda: False)
    said = onnx_file.write_onnx(tmp_path / "model.onnx", graph, 4, 5)
    assert said.splitlines()[-1] == "not checked: onnxruntime is not installed"


def test_an_operator_that_no_network_has(tmp_path: Path) -> None:
    graph = graph_of(mx.sym.sin(mx.sym.var("data"), name="probabilities"))
    with pytest.raises(Untranslatable, match="there is no translation of sin"):
        onnx_file.onnx_model(graph, 4, 5)


def test_masks_are_compared_by_their_pixels() -> None:
    one = np.zeros((100, 100), np.uint8)
    other = one.copy()
    other[0, :5] = 1
    assert checking.compare(one, other) == checking.Comparison(0.9995, 0)
    assert checking.compare(one, other).sound
    other[0] = 1
    assert not checking.compare(one, other).sound


def test_probabilities_are_compared_by_the_largest_difference() -> None:
    one = np.array([0.7, 0.3], np.float32).reshape(2, 1, 1)
    other = np.array([0.6, 0.4], np.float32).reshape(2, 1, 1)
    found = checking.compare(one, other)
    assert (found.agreement, found.difference) == (1, pytest.approx(0.1))
    assert not found.sound
