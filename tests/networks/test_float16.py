"""float16 graphs give nearly what float32 graphs give, and are float16 where that is work."""

from collections import Counter

import numpy as np
import pytest

from semseg.networks.artifact import Artifact
from semseg.networks.float16 import in_float16
from semseg.networks.graph import DATA, Graph
from semseg.networks.tile_graphs import IMAGE_WIDE, read_tile_graphs
from semseg.sagemaker.errors import CustomerError
from tests.networks.rounding import rounded, types
from tests.networks.test_quantization import images, run


@pytest.fixture(scope="module")
def float16(graph: Graph) -> Graph:
    return in_float16(graph)


def test_all_convolutions_are_float16_and_what_goes_in_and_out_is_float32(float16: Graph) -> None:
    typed = types(float16)
    assert typed[-1][1] == "float32"
    assert {node["name"]: kind for node, kind in typed}[DATA] == "float32"
    convolutions = [kind for node, kind in typed if node["op"] == "Convolution"]
    assert len(convolutions) > 50
    assert set(convolutions) == {"float16"}


def test_averages_of_the_whole_image_and_their_spreading_are_float32(float16: Graph) -> None:
    typed = types(float16)
    psp = any(node["name"].startswith("psp") for node, _ in typed)
    fcn = any(node["name"].startswith("fcn") for node, _ in typed)

    def kinds(*wanted: str) -> set[str]:
        return {kind for node, kind in typed if node["op"] in wanted}

    assert kinds("dot") == (set() if fcn else {"float32"})
    assert [kind for node, kind in typed if node.get("attrs", {}).get("pool_type") == "avg"] == (
        [] if fcn or psp else ["float32"]
    )
    if psp:
        assert kinds("_contrib_arange_like", "_arange") == {"float32"}


def test_residual_sums_are_float16(float16: Graph) -> None:
    kinds = Counter(kind for node, kind in types(float16) if node["op"] == "elemwise_add")
    assert kinds["float16"] == 16


def test_weights_take_half_the_memory(graph: Graph, float16: Graph) -> None:
    values = float16.parameters.values()
    whole = sum(value.size for value in graph.parameters.values())
    bytes_now = sum(value.size * np.dtype(value.dtype).itemsize for value in values)
    assert bytes_now <= whole * 2.5  # those that multiply PSP's averages stay as they are


def test_a_weight_that_is_too_large_is_named(graph: Graph) -> None:
    name = next(name for name in graph.parameters if name.endswith("conv1_weight"))
    weight = graph.parameters[name].copy()
    weight[0, 0, 0, 0] = 70_000
    with pytest.raises(CustomerError, match=f"{name} has values beyond 65504"):
        in_float16(Graph(graph.symbol, {**graph.parameters, name: weight}))


def test_rounding_changes_little(graph: Graph, float16: Graph) -> None:
    batch = images(7, 2, 96, 64)
    expected, found = run(graph, batch), run(rounded(float16), batch)
    assert np.abs(found - expected).max() > 0
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9999
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.98


def test_the_parts_of_a_network_are_converted_too(seasoned_artifact: Artifact) -> None:
    graphs = read_tile_graphs(seasoned_artifact)
    if graphs is None:
        return  # FCN needs none
    parts = graphs.changed(in_float16)
    for part in (parts.features, parts.logits):
        typed = types(part)
        assert typed[-1][1] == "float32"
        assert {kind for node, kind in typed if node["op"] == "Convolution"} == {"float16"}
    given = [kind for node, kind in types(parts.logits) if node["name"] == IMAGE_WIDE]
    assert given == ["float32"]
