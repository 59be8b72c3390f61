"""float16 is for GPUs: here CPUs compute it in float32, and round what would be float16."""

from typing import Any

import mxnet as mx
import numpy as np
import pytest

from semseg.inference import predictor as predictor_module
from semseg.inference.float16 import refuse_slower_float16
from semseg.inference.predictor import Predictor
from semseg.networks.artifact import Artifact
from semseg.networks.float16 import in_float16
from semseg.networks.graph import Graph
from semseg.sagemaker.errors import CustomerError
from tests.inference.pictures import picture
from tests.inference.test_tiled import SIZES
from tests.inference.waits import Waits
from tests.networks.rounding import rounded


def test_where_float16_would_be_slower_it_is_refused_with_both_times() -> None:
    slow, fast = Waits(0.03), Waits(0)
    said = r"slower .* [\d.]+ ms against [\d.]+ ms .* 256 x 256\. Serve .*PRECISION=float32"
    with pytest.raises(CustomerError, match=said):
        refuse_slower_float16(slow, fast, mx.cpu())
    refuse_slower_float16(fast, slow, mx.cpu())


@pytest.fixture
def rounding(monkeypatch: pytest.MonkeyPatch) -> list[Graph]:
    """Lets the CPU stand in for a GPU; what has been converted."""
    converted: list[Graph] = []

    def convert(graph: Graph) -> Graph:
        converted.append(graph)
        return rounded(in_float16(graph))

    monkeypatch.setattr(predictor_module, "in_float16", convert)
    return converted


def test_a_predictor_in_float16_gives_masks_and_probabilities(
    trained: tuple[Any, Artifact], rounding: list[Graph]
) -> None:
    image = picture(45, 70)
    expected = Predictor(trained[1]).probabilities(image)
    assert not rounding
    predictor = Predictor(trained[1], float16=True, proven=True)
    assert len(rounding) == 1
    predictor.warm_up()

    probabilities = predictor.probabilities(image)

    np.testing.assert_array_equal(predictor.mask(image), probabilities.argmax(axis=0))
    assert 0 < np.abs(probabilities - expected).max() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("trained", ["psp", "deeplab"], indirect=True)
def test_windows_are_float16_too(trained: tuple[Any, Artifact], rounding: list[Graph]) -> None:
    _, artifact = trained
    height, width = SIZES[artifact.architecture.algorithm]
    image = picture(height, width)
    predictor = Predictor(
        artifact, float16=True, proven=True, affordable=int(height * width * 0.67)
    )
    before = len(rounding)

    probabilities = predictor.probabilities(image)

    in_pieces = {"psp": 6, "deeplab": 3}
    assert len(rounding) - before == in_pieces[artifact.architecture.algorithm]
    expected = Predictor(artifact).probabilities(image)
    assert (probabilities.argmax(axis=0) == expected.argmax(axis=0)).mean() > 0.98


@pytest.mark.parametrize("trained", ["fcn"], indirect=True)
def test_what_has_been_compared_once_is_not_compared_again(
    trained: tuple[Any, Artifact], rounding: list[Graph], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def refuse(*networks: Any) -> None:
        compared.append(networks)
        raise CustomerError("It is slower today.")

    monkeypatch.setattr(predictor_module, "refuse_slower_float16", refuse)
    with pytest.raises(CustomerError):
        Predictor(trained[1], float16=True)
    [(float16, float32, device)] = compared
    assert device == mx.cpu()
    batch = mx.nd.random.uniform(-2, 2, shape=(1, 3, 40, 40))
    assert np.abs(float16(batch).asnumpy() - float32(batch).asnumpy()).max() > 0
    Predictor(trained[1], float16=True, proven=True)
