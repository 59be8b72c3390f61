import weakref
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest

from semseg.data.normalization import normalize
from semseg.inference import predictor as predictor_module
from semseg.inference.forward import Forward
from semseg.inference.predictor import Predictor
from semseg.networks import tile_graphs
from semseg.networks.artifact import BEST, Artifact, read_artifact, write_configuration
from semseg.networks.loading import load_network
from semseg.networks.zoo import build
from semseg.sagemaker.errors import CustomerError
from tests.networks.weights import computed

CLASSES = 4


@pytest.fixture(scope="module")
def network() -> Any:
    mx.random.seed(11)
    network = build("psp", "resnet-50", CLASSES)
    network.start_untrained(mx.cpu())
    return network


@pytest.fixture(scope="module")
def artifact(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("model")
    network.save_parameters(str(folder / BEST))
    write_configuration(folder, {"algorithm": "psp", "backbone": "resnet-50"})
    return read_artifact(folder)


@pytest.fixture(scope="module")
def predictor(artifact: Artifact) -> Predictor:
    predictor = Predictor(artifact)
    predictor.warm_up()
    return predictor


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(40, 56), (33, 71), (1, 1)])
def test_probabilities_are_the_softmax_of_the_networks_logits(
    predictor: Predictor, network: Any, size: tuple[int, int]
) -> None:
    probabilities = predictor.probabilities(image(*size))
    assert probabilities.shape == (CLASSES, *size)
    assert probabilities.dtype == np.float32
    logits = network(mx.nd.array(normalize(image(*size))[None]))[0]
    expected = mx.nd.softmax(logits, axis=1)[0].asnumpy()
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-5)


def test_the_mask_is_the_most_probable_class(predictor: Predictor) -> None:
    mask = predictor.mask(image(37, 50))
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, predictor.probabilities(image(37, 50)).argmax(axis=0))


@pytest.mark.parametrize("size", [(200, 301), (97, 64)])
def test_what_is_served_is_what_the_plain_network_gives(
    trained: tuple[Any, Artifact], size: tuple[int, int]
) -> None:
    network, artifact = trained
    predictor = Predictor(artifact)
    photo = image(*size)
    logits = network(mx.nd.array(normalize(photo)[None]))[0]
    expected = mx.nd.softmax(logits, axis=1)[0].asnumpy()
    assert len(np.unique(expected.argmax(axis=0))) > 1
    assert np.ptp(expected, axis=0).mean() > 0.2
    np.testing.assert_allclose(predictor.probabilities(photo), expected, rtol=0, atol=1e-4)
    same = predictor.mask(photo) == expected.argmax(axis=0)
    assert same.mean() >= 0.99999


@pytest.mark.parametrize("size", [(8, 12_600), (1, 12_600), (12_600, 1)])
def test_a_thin_image_is_as_large_as_its_cells(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    logits = np.zeros((CLASSES, -(-size[0] // 8), -(-size[1] // 8)), np.float32)
    in_pieces = []
    monkeypatch.setattr(
        predictor_module,
        "tiled_logits",
        lambda image, *others: in_pieces.append(image.shape) or logits,
    )
    small = Predictor(artifact, affordable=8 * 12_599)
    monkeypatch.setattr(Forward, "__call__", lambda _self, _batch: pytest.fail("computed at once"))

    assert small.mask(image(*size)).shape == size
    assert in_pieces == [(*size, 3)]


def test_nothing_is_prepared_beside_a_large_image(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(artifact, affordable=64 * 64)
    prepared = predictor._forward._pixels_prepared

    def tiled(*_given: object) -> np.ndarray:
        assert not prepared()
        return np.zeros((CLASSES, 9, 8), np.float32)

    monkeypatch.setattr(predictor_module, "tiled_logits", tiled)
    for _ in range(2):
        predictor.mask(image(32, 64))
    assert prepared() == 32 * 64
    assert predictor.mask(image(65, 64)).shape == (65, 64)


def test_the_network_that_windows_were_made_of_is_gone_before_they_are_computed(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = []

    def load(*given: Any) -> Any:
        network = load_network(*given)
        networks.append(weakref.ref(network))
        return network

    def tiled(*_given: object) -> np.ndarray:
        assert [network() for network in networks] == [None]
        return np.zeros((CLASSES, 9, 8), np.float32)

    monkeypatch.setattr(tile_graphs, "load_network", load)
    monkeypatch.setattr(predictor_module, "tiled_logits", tiled)
    predictor = Predictor(artifact, affordable=64 * 64)
    assert predictor.mask(image(65, 64)).shape == (65, 64)
    assert len(networks) == 1


def test_an_artifact_trained_without_auxiliary_head(tmp_path: Path) -> None:
    network = build("fcn", "resnet-50", CLASSES, aux=False)
    network.start_untrained(mx.cpu())
    network.save_parameters(str(tmp_path / BEST))
    write_configuration(tmp_path, {})
    assert Predictor(read_artifact(tmp_path)).mask(image(20, 30)).shape == (20, 30)


def test_a_model_that_gluoncv_saved(tmp_path: Path) -> None:
    from gluoncv.model_zoo import DeepLabV3

    theirs = DeepLabV3(CLASSES, pretrained_base=False, crop_size=48)
    theirs.collect_params().initialize(force_reinit=True)
    logits = computed(theirs(mx.nd.array(normalize(image(48, 48))[None])))[0]
    theirs.save_parameters(str(tmp_path / BEST))
    write_configuration(tmp_path, {"algorithm": "deeplab"})

    probabilities = Predictor(read_artifact(tmp_path)).probabilities(image(48, 48))
    expected = mx.nd.softmax(logits, axis=1)[0].asnumpy()
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)


def test_parameters_with_a_hole_are_refused(network: Any, tmp_path: Path) -> None:
    network.save_parameters(str(tmp_path / BEST))
    values = mx.nd.load(str(tmp_path / BEST))
    del values["layer2.0.conv1.weight"]
    mx.nd.save(str(tmp_path / BEST), values)
    write_configuration(tmp_path, {})
    with pytest.raises(CustomerError, match="can't be loaded as psp on resnet-50"):
        Predictor(read_artifact(tmp_path))
