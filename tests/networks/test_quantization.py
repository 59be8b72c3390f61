"""int8 graphs give nearly what float32 graphs give."""

import json

import mxnet as mx
import numpy as np
import pytest

from semseg.networks.graph import DATA, Graph
from semseg.networks.quantization import Calibration, quantized
from semseg.networks.thresholds import Ranges
from semseg.sagemaker.errors import CustomerError

# With these weights, which have no favourite class, all classes are much closer to each other than
# with trained ones. Ranges as MXNet takes them, which cuts off half of some sums, bring a
# correlation of 0.98 at most.
AGREEMENT = 0.90
CORRELATION = 0.99


@pytest.fixture(scope="module")
def ranges(graph: Graph) -> Ranges:
    calibration = Calibration(graph)
    for seed in range(3):
        calibration.watch(images(seed, 2, 96, 64))
    assert calibration.images == 6
    return calibration.ranges()


def images(seed: int, count: int, height: int, width: int) -> np.ndarray:
    """Smooth normalized pictures: noise would be averaged away by every layer."""
    coarse = mx.nd.array(np.random.default_rng(seed).uniform(-2, 2, (count, 3, 6, 6)))
    resized = mx.nd.contrib.BilinearResize2D(coarse, height=height, width=width)
    return np.asarray(resized.asnumpy())


def run(graph: Graph, batch: np.ndarray) -> np.ndarray:
    names = graph.symbol.list_inputs()
    values = [mx.nd.array(batch) if name == DATA else graph.parameters[name] for name in names]
    return np.asarray(mx.nd.CachedOp(graph.symbol)(*values).asnumpy())


def test_what_is_no_number_is_said_to_be_the_models_fault(graph: Graph) -> None:
    calibration = Calibration(graph)
    calibration.watch(np.full((1, 3, 32, 32), np.nan, np.float32))
    with pytest.raises(CustomerError, match="no numbers"):
        calibration.ranges()


def test_most_pixels_have_the_same_class_at_any_size(graph: Graph, ranges: Ranges) -> None:
    int8 = quantized(graph, ranges)
    for size in ((96, 64), (120, 88), (57, 131)):
        batch = images(100 + size[0], 2, *size)
        expected, logits = run(graph, batch), run(int8, batch)
        assert logits.shape == expected.shape
        assert np.corrcoef(logits.ravel(), expected.ravel())[0, 1] >= CORRELATION
        assert np.mean(logits.argmax(axis=1) == expected.argmax(axis=1)) >= AGREEMENT


def test_all_convolutions_compute_in_int8(graph: Graph, ranges: Ranges) -> None:
    nodes = json.loads(quantized(graph, ranges).symbol.tojson())["nodes"]
    convolutions = [node for node in nodes if "conv" in node["op"]]
    assert len(convolutions) > 50
    assert all(node["attrs"].get("quantized") == "true" for node in convolutions)


def test_the_ranges_are_the_extremes_of_all_images(graph: Graph) -> None:
    first, second = images(1, 1, 64, 64), images(2, 1, 80, 48)
    calibration = Calibration(graph)
    calibration.watch(first)
    alone = calibration.ranges()
    calibration.watch(second)
    both = calibration.ranges()
    assert both[DATA] == pytest.approx(
        (min(first.min(), second.min()), max(first.max(), second.max()))
    )
    assert all(both[name][0] <= low <= high <= both[name][1] for name, (low, high) in alone.items())


def test_ranges_of_another_network_are_refused(graph: Graph, ranges: Ranges) -> None:
    less = {name: limits for name, limits in ranges.items() if name != DATA}
    with pytest.raises(CustomerError, match=r"1 of them differ, among them data\. .*quantize"):
        quantized(graph, less)
