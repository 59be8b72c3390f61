"""Graphs give what the networks give."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest

from semseg.networks.artifact import Artifact
from semseg.networks.folding import fold_batch_normalization
from semseg.networks.graph import DATA, Graph, fused, read_graph
from tests.networks.weights import save, seasoned

CLASSES = 3


@pytest.fixture(scope="module", params=["fcn", "psp", "deeplab"])
def trained(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Artifact]:
    network = seasoned(request.param, CLASSES)
    return network, save(network, request.param, tmp_path_factory.mktemp(request.param))


def run(graph: Graph, images: Any) -> np.ndarray:
    names = graph.symbol.list_inputs()
    values = [images if name == DATA else graph.parameters[name] for name in names]
    return np.asarray(mx.nd.CachedOp(graph.symbol)(*values).asnumpy())


def images(height: int, width: int) -> Any:
    return mx.nd.random.uniform(-2, 2, shape=(1, 3, height, width))


def operators(graph: Graph) -> set[str]:
    return {node["op"] for node in json.loads(graph.symbol.tojson())["nodes"]}


def test_a_graph_gives_the_networks_logits_at_any_size(trained: tuple[Any, Artifact]) -> None:
    network, artifact = trained
    for size in ((64, 48), (33, 57), (1, 1)):
        batch = images(*size)
        expected = network(batch)[0].asnumpy()
        atol = 1e-5 * np.abs(expected).max()
        graph = read_graph(artifact, resized=True)
        np.testing.assert_allclose(run(graph, batch), expected, rtol=0, atol=atol)
        graph = read_graph(artifact, resized=True, as_published=True)
        np.testing.assert_allclose(run(graph, batch), expected, rtol=0, atol=atol)


def test_as_published_a_graph_has_the_published_head(tmp_path: Path) -> None:
    """Others are to read it, who know the operators and shapes of the paper's network."""
    artifact = save(seasoned("psp", CLASSES), "psp", tmp_path)
    published, own = read_graph(artifact, as_published=True), read_graph(artifact)
    assert "_contrib_BilinearResize2D" in operators(published)
    assert (512, 4096, 3, 3) in {value.shape for value in published.parameters.values()}
    assert (512, 4096, 3, 3) not in {value.shape for value in own.parameters.values()}


def test_the_size_of_features_is_read_from_few_channels(trained: tuple[Any, Artifact]) -> None:
    """MXNet copies all of a tensor, and in int8 converts it to float32, to read its size."""
    inside = read_graph(trained[1]).symbol.get_internals()
    _, shapes, _ = inside.infer_shape(data=(1, 3, 64, 64))
    nodes = json.loads(inside.tojson())["nodes"]
    sizes = dict(zip(inside.list_outputs(), shapes, strict=True))
    for node in nodes:
        if node["op"] == "_contrib_arange_like":
            source = nodes[node["inputs"][0][0]]
            if source["op"] != "null":
                assert sizes[f"{source['name']}_output"][1] <= 512


def test_the_heads_own_logits_are_an_eighth_of_the_image(trained: tuple[Any, Artifact]) -> None:
    graph = read_graph(trained[1])
    assert run(graph, images(65, 48)).shape == (1, CLASSES, 9, 6)


def test_folding_leaves_no_normalization_and_the_same_logits(
    trained: tuple[Any, Artifact],
) -> None:
    graph = read_graph(trained[1])
    folded = fold_batch_normalization(graph)
    assert "BatchNorm" in operators(graph)
    assert "BatchNorm" not in operators(folded)
    assert set(folded.parameters) == set(folded.symbol.list_inputs()) - {DATA}
    batch = images(65, 48)
    np.testing.assert_allclose(run(folded, batch), run(graph, batch), atol=1e-4)


def test_what_is_no_convolutions_normalization_stays() -> None:
    data = mx.sym.var(DATA)
    alone = mx.sym.BatchNorm(data, name="alone", fix_gamma=False)
    shared = mx.sym.Convolution(alone, kernel=(1, 1), num_filter=2, name="shared")
    normalized = mx.sym.BatchNorm(shared, name="second", fix_gamma=True)
    symbol = shared + normalized
    shapes, _, auxiliary = symbol.infer_shape(data=(1, 2, 4, 4))
    names = [*symbol.list_arguments(), *symbol.list_auxiliary_states()]
    values = {
        name: mx.nd.random.uniform(0.5, 1, shape=shape)
        for name, shape in zip(names, [*shapes, *auxiliary], strict=True)
        if name != DATA
    }
    graph = Graph(symbol, values)
    folded = fold_batch_normalization(graph)
    assert "BatchNorm" in operators(folded)
    batch = mx.nd.random.uniform(shape=(1, 2, 4, 4))
    np.testing.assert_allclose(run(folded, batch), run(graph, batch), atol=1e-6)


def test_fused_graphs_have_fused_convolutions_only(trained: tuple[Any, Artifact]) -> None:
    graph = fused(fold_batch_normalization(read_graph(trained[1])))
    assert "_sg_mkldnn_conv" in operators(graph)
    assert not operators(graph) & {"Convolution", "BatchNorm"}


def test_names_are_the_same_in_every_process(trained: tuple[Any, Artifact]) -> None:
    _, artifact = trained
    program = (
        "import sys, pathlib; from semseg.networks.artifact import read_artifact;"
        "from semseg.networks.graph import read_graph;"
        "graph = read_graph(read_artifact(pathlib.Path(sys.argv[1])));"
        "print(*graph.symbol.get_internals().list_outputs())"
    )
    folder = artifact.parameters.parent
    other = subprocess.run(
        [sys.executable, "-c", program, folder], capture_output=True, text=True, check=True
    )
    mine = read_graph(artifact).symbol.get_internals().list_outputs()
    assert other.stdout.split() == mine
