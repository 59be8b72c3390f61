"""Several devices that act as one: those here are `mx.cpu(0)`, `mx.cpu(1)` and `mx.cpu(2)`."""

from typing import Any

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from mxnet.gluon import nn

from semseg.data.assembly import Batch
from semseg.networks.zoo import build
from semseg.training.epoch import Learner
from semseg.training.replicas import Replicas, labelled_pixels, split
from semseg.training.state import State

ONE = (mx.cpu(0),)
TWO = (mx.cpu(0), mx.cpu(1))
THREE = (mx.cpu(0), mx.cpu(1), mx.cpu(2))
# Only the order of float32 additions differs: this much of the largest value of an array.
TOLERANCE = 1e-5


class Small(nn.HybridBlock):
    """Two branches, each with batch normalization where it is wanted, and a classifier."""

    def __init__(self, norm: bool = True, use_global_stats: bool = False) -> None:
        super().__init__()
        self.branches = []
        for number in range(2):
            branch = nn.HybridSequential()
            branch.add(nn.Conv2D(4, 3, padding=1, in_channels=3, use_bias=not norm))
            if norm:
                branch.add(nn.BatchNorm(in_channels=4, use_global_stats=use_global_stats))
            branch.add(nn.Activation("tanh"))
            setattr(self, f"branch{number}", branch)
        self.classifier = nn.Conv2D(2, 1, in_channels=4)

    def hybrid_forward(self, F: Any, images: Any) -> tuple[Any, ...]:
        return (self.classifier(self.branch0(images) + self.branch1(images)),)


def batch(images: int, seed: int = 0) -> Batch:
    """Images that differ a lot from one another, masks with more and more pixels to ignore."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(size=(images, 3, 8, 8)) * np.linspace(0.5, 4, images)[:, None, None, None]
    masks = (pixels[:, 0] > 0).astype(np.uint8)
    for number in range(images):
        masks[number, : min(number, 7)] = 255
    return Batch(pixels.astype(np.float32), masks)


def twice(part: Batch) -> Batch:
    return Batch(np.concatenate([part.images] * 2), np.concatenate([part.masks] * 2))


def trained(
    job: Any, devices: tuple[Any, ...], batches: list[Batch], network: Any = None, **options: object
) -> tuple[float, dict[str, np.ndarray]]:
    """The loss of an epoch and all parameters after it, for the same start on any devices."""
    mx.random.seed(3)
    np.random.seed(3)
    network = Small() if network is None else network
    network.initialize(ctx=list(devices))
    usual = {"optimizer": "sgd", "learning_rate": "0.5", "mini_batch_size": len(batches[0].images)}
    state = State(seed=1)
    Learner(network, job(**{**usual, **options}), devices, state).train_epoch(batches)
    parameters = network._collect_params_with_prefix()
    for parameter in parameters.values():
        first, *others = (copy.asnumpy() for copy in parameter.list_data())
        assert all(np.array_equal(first, other) for other in others)
    return state.position.mean_loss, {
        name: one.list_data()[0].asnumpy() for name, one in parameters.items()
    }


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(
            found[name], values, rtol=0, atol=TOLERANCE * np.abs(values).max(), err_msg=name
        )


@pytest.mark.parametrize("kvstore", ["device", "local"])
@pytest.mark.parametrize("devices", [TWO, THREE])
def test_uneven_parts_give_the_step_of_one_device(job, devices: Any, kvstore: str) -> None:
    """Five images, of which each has fewer labelled pixels than the one before."""
    batches = [batch(5, seed) for seed in range(3)]
    loss, expected = trained(job, ONE, batches, Small(norm=False))
    found_loss, found = trained(job, devices, batches, Small(norm=False), _kvstore=kvstore)
    assert found_loss == pytest.approx(loss, rel=TOLERANCE)
    assert_same(found, expected)


def test_fixed_statistics_give_the_step_of_one_device(job) -> None:
    batches = [batch(5, seed) for seed in range(3)]
    _, expected = trained(job, ONE, batches, Small(use_global_stats=True))
    _, found = trained(job, TWO, batches, Small(use_global_stats=True))
    assert_same(found, expected)


def test_equal_halves_give_the_step_of_one_device(job) -> None:
    """Each device's own statistics are then those of the whole batch."""
    batches = [twice(batch(2, seed)) for seed in range(3)]
    loss, expected = trained(job, ONE, batches)
    found_loss, found = trained(job, TWO, batches)
    assert found_loss == pytest.approx(loss, rel=TOLERANCE)
    assert_same(found, expected)


def test_without_syncbn_each_device_has_statistics_of_its_own(job) -> None:
    """So that the tests above and below say something."""
    batches = [batch(4)]
    _, expected = trained(job, ONE, batches)
    _, found = trained(job, TWO, batches)
    name = "branch0.0.weight"
    difference = np.abs(found[name] - expected[name]).max()
    assert difference > 100 * TOLERANCE * np.abs(expected[name]).max()


def test_the_saved_statistics_are_the_mean_of_all_devices(job) -> None:
    """That of two halves' means is the whole batch's, from the first step on."""
    batches = [batch(4)]
    _, expected = trained(job, ONE, batches)
    _, found = trained(job, TWO, batches)
    for name in ("branch0.1.running_mean", "branch1.1.running_mean"):
        tolerance = TOLERANCE * np.abs(expected[name]).max()
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=tolerance)


@pytest.mark.parametrize("devices", [TWO, THREE])
def test_syncbn_gives_the_step_of_one_device(job, devices: Any) -> None:
    """Uneven parts of different images: loss, every parameter, running statistics."""
    batches = [batch(5, seed) for seed in range(3)]
    loss, expected = trained(job, ONE, batches)
    found_loss, found = trained(job, devices, batches, syncbn=True)
    assert found_loss == pytest.approx(loss, rel=TOLERANCE)
    assert_same(found, expected)


def test_syncbn_changes_nothing_on_one_device(job) -> None:
    """Not a bit, and the network is compiled as ever, which is what makes it quick."""
    batches = [batch(5, seed) for seed in range(3)]
    _, expected = trained(job, ONE, batches)
    network = Small()
    _, found = trained(job, ONE, batches, network, syncbn=True)
    assert all(np.array_equal(found[name], values) for name, values in expected.items())
    assert network._active


def test_a_synchronized_network_that_was_compiled_is_an_error(job) -> None:
    """It would quietly fall back to each device's own statistics."""
    network = Small()
    network.initialize(ctx=list(TWO))
    replicas = Replicas(network, TWO, synchronized=True)
    network.hybridize()
    with pytest.raises(TypeError, match="was hybridized"):
        replicas.logits(split(batch(4), TWO))


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["psp", "deeplab"])
def test_syncbn_in_the_real_networks(algorithm: str) -> None:
    """Their branches do not wait for each other for ever, and they see the whole batch.

    Fifty layers of random weights make much of a last digit: the tolerance is a thousandth here,
    and inside the backbone, where an image changed by a millionth moves gradients by a tenth,
    gradients are not compared.
    """

    def run(devices: tuple[Any, ...]) -> dict[str, np.ndarray]:
        mx.random.seed(4)
        network = build(algorithm, "resnet-50", 2)
        network.start_untrained(*devices)
        network.apply(without_dropout)
        replicas = Replicas(network, devices, synchronized=True)
        images = np.random.default_rng(0).normal(size=(4, 3, 48, 48)).astype(np.float32)
        outputs = replicas.logits(split(Batch(images, np.zeros((4, 48, 48), np.uint8)), devices))
        with autograd.record():
            losses = [(logits**2).sum() + (aux**2).sum() for logits, aux in outputs]
        autograd.backward(losses)
        parameters = network._collect_params_with_prefix()
        return {
            "logits": np.concatenate([logits.asnumpy() for logits, _ in outputs]),
            "auxiliary logits": np.concatenate([aux.asnumpy() for _, aux in outputs]),
            **{
                name: one.list_data()[-1].asnumpy()
                for name, one in parameters.items()
                if one.grad_req == "null"
            },
            **{
                f"gradient of {name}": sum(gradient.asnumpy() for gradient in one.list_grad())
                for name, one in parameters.items()
                if name.endswith("block.4.weight")
            },
        }

    def without_dropout(block: mx.gluon.Block) -> None:
        if isinstance(block, nn.Dropout):
            block._rate = 0

    expected, found = run(ONE), run(TWO)
    assert len(expected) > 100
    for name, values in expected.items():
        np.testing.assert_allclose(
            found[name], values, rtol=0, atol=1e-3 * np.abs(values).max(), err_msg=name
        )


def test_parts_are_as_even_as_can_be_and_keep_their_order() -> None:
    whole = batch(7)
    parts = split(whole, THREE)
    assert [len(part.images) for part in parts] == [3, 2, 2]
    assert [part.images.context for part in parts] == list(THREE)
    assert np.array_equal(np.concatenate([part.masks.asnumpy() for part in parts]), whole.masks)
    assert all(part.masks.dtype == np.uint8 for part in parts)


def test_pixels_to_ignore_are_not_counted() -> None:
    assert labelled_pixels(batch(3)) == 3 * 64 - 8 - 16
