"""PSP's head for inference gives what the one that is trained gives, for less."""

from typing import Any

import mxnet as mx
import numpy as np
import pytest

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
