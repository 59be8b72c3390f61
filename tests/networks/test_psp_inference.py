"""PSP's head for inference gives what the one that is trained gives, for less."""

from typing import Any

import mxnet as mx
import numpy as np
import pytest

from semseg.networks.image_wide import upsample_and_add
from semseg.networks.psp_inference import FactoredHead
from tests.networks.weights import seasoned

# Smaller than a grid, smaller than the convolution, odd, and long.
SIZES = [(1, 1), (1, 5), (2, 3), (7, 6), (13, 9), (12, 30), (60, 5)]


@pytest.fixture(scope="module")
def network() -> Any:
    return seasoned("psp", classes=3)


@pytest.fixture(scope="module")
def head(network: Any) -> FactoredHead:
    return FactoredHead(network.head)


def features(height: int, width: int, count: int = 1) -> Any:
    return mx.nd.random.uniform(0, 2, shape=(count, 2048, height, width))


@pytest.mark.parametrize("size", SIZES)
def test_logits_are_those_of_the_trained_head(
    network: Any, head: FactoredHead, size: tuple[int, int]
) -> None:
    batch = features(*size, count=2)
    expected = network.head(batch).asnumpy()
    difference = np.abs(head(batch).asnumpy() - expected).max()
    assert difference <= 1e-5 * np.abs(expected).max()


def test_every_part_of_the_image_has_a_say_in_what_is_wide(
    network: Any, head: FactoredHead
) -> None:
    """Or the comparison above would hold for a head that forgets its averages."""
    batch = features(12, 30)
    changed = batch.copy()
    changed[:, :, :, 28:] += 2  # far from what the 3x3 convolution sees on the left
    for one in (network.head, head):
        difference = np.abs((one(changed) - one(batch)).asnumpy())[:, :, :, :20]
        assert difference.max() > 1e-3


def test_given_its_share_a_part_of_the_image_gives_its_part_of_the_logits(
    head: FactoredHead,
) -> None:
    """As for windows of a large image: only the 3x3 convolution feels the edge between parts."""
    batch = features(12, 30)
    averages = [mx.nd.contrib.AdaptiveAvgPooling2D(batch, output_size=grid) for grid in head.grids]
    maps = [branch(one) for branch, one in zip(head.branches(), averages, strict=True)]
    down, across = (
        [head.interpolation(mx.nd, mx.nd.arange(side), mx.nd.arange(grid)) for grid in head.grids]
        for side in (12, 30)
    )
    expected = head(batch).asnumpy()
    for part, whole in ((slice(0, 18), slice(0, 17)), (slice(12, 30), slice(13, 30))):
        head.given = upsample_and_add(mx.nd, maps, down, [matrix[part] for matrix in across])
        logits = head(batch[:, :, :, part]).asnumpy()
        head.given = None
        start = whole.start - part.start
        found = logits[:, :, :, start : start + whole.stop - whole.start]
        np.testing.assert_allclose(found, expected[:, :, :, whole], rtol=1e-3, atol=1e-3)


def test_no_room_is_taken_for_gradients(head: FactoredHead) -> None:
    own = [head.convolution.weight, head.convolution.bias, *(taps.weight for taps in head.taps)]
    assert {parameter.grad_req for parameter in own} == {"null"}


def test_averages_are_never_as_large_as_the_features(head: FactoredHead) -> None:
    inside = head(mx.sym.var("features")).get_internals()
    _, shapes, _ = inside.infer_shape(features=(1, 2048, 50, 50))
    values = {
        name: np.prod(shape)
        for name, shape in zip(inside.list_outputs(), shapes, strict=True)
        if name not in inside.list_inputs()
    }
    # The sum that the head begins with has 512 channels; nothing has more values than that.
    assert max(values.values()) == 512 * 50 * 50
