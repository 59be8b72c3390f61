from pathlib import Path
from typing import Any

import gluoncv.model_zoo
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from semseg.networks.base import HEAD_LEARNING_RATE_FACTOR, MainPath, use_one_operator
from semseg.networks.zoo import build
from tests.networks.weights import computed

CLASSES = 3
GLUONCV = {
    "fcn": gluoncv.model_zoo.FCN,
    "psp": gluoncv.model_zoo.PSPNet,
    "deeplab": gluoncv.model_zoo.DeepLabV3,
}

each_algorithm = pytest.mark.parametrize("algorithm", GLUONCV)


def images(height: int, width: int, count: int = 1) -> mx.nd.NDArray:
    return mx.nd.random.uniform(-2, 2, shape=(count, 3, height, width))


def gluoncv_network(algorithm: str, side: int) -> Any:
    return GLUONCV[algorithm](CLASSES, pretrained_base=False, crop_size=side)


@each_algorithm
@pytest.mark.parametrize("size", [(64, 64), (33, 57), (97, 40), (8, 1), (1, 1)])
def test_any_size_gives_logits_of_that_size(
    networks: dict[str, Any], algorithm: str, size: tuple[int, int]
) -> None:
    logits, aux_logits = networks[algorithm](images(*size))
    assert logits.shape == aux_logits.shape == (1, CLASSES, *size)
    assert np.isfinite(logits.asnumpy()).all()


@each_algorithm
def test_the_main_path_gives_the_networks_own_logits(
    networks: dict[str, Any], algorithm: str
) -> None:
    main_path = MainPath(networks[algorithm])
    main_path.hybridize(static_alloc=True)
    for size in ((40, 56), (31, 45)):
        batch = images(*size)
        np.testing.assert_allclose(
            main_path(batch).asnumpy(), networks[algorithm](batch)[0].asnumpy(), atol=1e-5
        )


@each_algorithm
def test_resizing_by_one_operator_gives_the_same_logits(
    networks: dict[str, Any], algorithm: str, tmp_path: Path
) -> None:
    networks[algorithm].save_parameters(str(tmp_path / "model.params"))
    other = build(algorithm, "resnet-50", CLASSES)
    other.load_parameters(str(tmp_path / "model.params"))
    use_one_operator(other)
    for size in ((64, 40), (33, 57), (8, 1), (1, 1)):
        batch = images(*size)
        expected = networks[algorithm](batch)[0].asnumpy()
        difference = np.abs(other(batch)[0].asnumpy() - expected).max()
        assert difference <= 1e-4 * max(1, np.abs(expected).max())


@each_algorithm
def test_gradients_reach_every_parameter_at_an_odd_size(algorithm: str) -> None:
    network = build(algorithm, "resnet-50", CLASSES)
    network.start_untrained(mx.cpu())
    with autograd.record():
        logits, aux_logits = network(images(41, 35, count=2))
        loss = (logits * logits).mean() + (aux_logits * aux_logits).mean()
    loss.backward()
    silent = [
        name
        for name, parameter in network._collect_params_with_prefix().items()
        if parameter.grad_req != "null" and not np.abs(parameter.grad().asnumpy()).any()
    ]
    assert silent == []


@each_algorithm
def test_parameters_go_to_gluoncv_and_give_the_same_output_there(
    networks: dict[str, Any], algorithm: str, tmp_path: Path
) -> None:
    path = str(tmp_path / "model.params")
    networks[algorithm].save_parameters(path)
    theirs = gluoncv_network(algorithm, side=64)
    theirs.load_parameters(path)
    batch = images(64, 64)
    for ours, other in zip(networks[algorithm](batch), theirs(batch), strict=True):
        # The resizing is another one, so logits near 0 differ by the rounding of the large ones.
        largest = np.abs(other.asnumpy()).max()
        np.testing.assert_allclose(ours.asnumpy(), other.asnumpy(), rtol=0, atol=1e-5 * largest)


@each_algorithm
def test_parameters_come_from_gluoncv(algorithm: str, tmp_path: Path) -> None:
    path, batch = str(tmp_path / "model.params"), images(48, 48)
    theirs = gluoncv_network(algorithm, side=48)
    theirs.collect_params().initialize(force_reinit=True)
    expected = computed(theirs(batch))[0].asnumpy()
    theirs.save_parameters(path)
    ours = build(algorithm, "resnet-50", CLASSES)
    ours.load_parameters(path)
    largest = np.abs(expected).max()
    np.testing.assert_allclose(ours(batch)[0].asnumpy(), expected, rtol=0, atol=1e-5 * largest)


def test_heads_learn_ten_times_as_fast(networks: dict[str, Any]) -> None:
    for network in networks.values():
        for name, parameter in network._collect_params_with_prefix().items():
            is_head = name.startswith(("head.", "auxlayer."))
            assert parameter.lr_mult == (HEAD_LEARNING_RATE_FACTOR if is_head else 1), name


def test_without_auxiliary_head(networks: dict[str, Any]) -> None:
    network = build("fcn", "resnet-50", CLASSES, aux=False)
    network.start_untrained(mx.cpu())
    assert len(network(images(32, 32))) == 1


def test_weights_may_be_read_right_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its forward has ended: one under way rearranges weights while they are read."""
    given: list[Any] = []
    waited: list[Any] = []
    wait_to_read = mx.nd.NDArray.wait_to_read

    def wait(array: Any) -> None:
        wait_to_read(array)
        waited.append(array)

    monkeypatch.setattr(mx.nd.NDArray, "wait_to_read", wait)
    network = build("fcn", "resnet-50", CLASSES)
    network.register_forward_hook(lambda block, inputs, outputs: given.extend(outputs))
    network.start_untrained(mx.cpu())
    assert len(given) == 2
    assert [id(array) for array in waited] == [id(array) for array in given]


def test_resnet_101_is_deeper_in_its_third_stage() -> None:
    names = build("fcn", "resnet-101", CLASSES)._collect_params_with_prefix()
    assert "layer3.22.conv3.weight" in names
    assert "layer3.23.conv3.weight" not in names
