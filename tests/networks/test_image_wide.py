"""Averages of the image, and what is made of them."""

import mxnet as mx
import numpy as np
import pytest

from semseg.networks.image_wide import averaging_matrix, upsample_and_add


@pytest.mark.parametrize("grid", [1, 2, 3, 6])
@pytest.mark.parametrize("side", [1, 2, 5, 6, 7, 60, 83, 1025])
def test_averages_are_those_of_mxnets_adaptive_pooling(side: int, grid: int) -> None:
    features = mx.nd.random.uniform(shape=(1, 2, side, 4))
    expected = mx.nd.contrib.AdaptiveAvgPooling2D(features, output_size=(grid, 4))
    matrix = averaging_matrix(mx.nd, mx.nd.arange(side), grid)
    assert matrix.shape == (side, grid)
    averages = mx.nd.swapaxes(mx.nd.dot(mx.nd.swapaxes(features, 2, 3), matrix), 2, 3)
    np.testing.assert_allclose(averages.asnumpy(), expected.asnumpy(), atol=1e-6)


def test_maps_of_several_sizes_are_summed() -> None:
    numbers = np.random.default_rng(3)
    maps = [numbers.random((2, 3, side, side), np.float32) for side in (1, 4)]
    down = [numbers.random((5, side), np.float32) for side in (1, 4)]
    across = [numbers.random((6, side), np.float32) for side in (1, 4)]
    expected = sum(
        np.einsum("ncij,hi,wj->nchw", *three) for three in zip(maps, down, across, strict=True)
    )
    found = upsample_and_add(
        mx.nd, *([mx.nd.array(one) for one in each] for each in (maps, down, across))
    )
    np.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5)
