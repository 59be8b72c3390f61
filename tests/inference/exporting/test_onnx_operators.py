import mxnet as mx
import numpy as np
import pytest

from semseg.inference.exporting.onnx_operators import (
    TRANSLATIONS,
    Node,
    Untranslatable,
    cell_shares,
)


@pytest.mark.parametrize(("height", "width"), [(60, 60), (7, 13), (4, 1), (100, 83)])
@pytest.mark.parametrize("grid", [1, 2, 3, 6])
def test_cells_are_those_of_mxnets_pooling(height: int, width: int, grid: int) -> None:
    features = np.random.default_rng(height).normal(size=(1, 3, height, width)).astype(np.float32)
    expected = mx.nd.contrib.AdaptiveAvgPooling2D(mx.nd.array(features), output_size=grid).asnumpy()
    found = cell_shares(height, grid) @ features @ cell_shares(width, grid).T
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("operator", "attributes", "reason"),
    [
        ("Activation", {"act_type": "tanh"}, "act_type is tanh, not relu"),
        ("BatchNorm", {"fix_gamma": "True"}, "fix_gamma is True, not False"),
        ("Pooling", {"pool_type": "sum"}, "pool_type is sum, not max"),
        ("Pooling", {"pool_type": "max", "pooling_convention": "full"}, "is full, not valid"),
        ("Cast", {"dtype": "float16"}, "dtype is float16, not uint8"),
    ],
)
def test_what_would_need_another_translation_is_refused(
    operator: str, attributes: dict[str, str], reason: str
) -> None:
    node = Node("it", attributes, ["x"], (1, 3, 4, 4), (1, 3, 4, 4))
    with pytest.raises(Untranslatable, match=reason):
        TRANSLATIONS[operator](node)
