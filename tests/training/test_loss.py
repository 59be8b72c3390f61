import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, nd

from semseg.training.loss import SegmentationLoss

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(2, 3, 4, 5))
AUX_LOGITS = RNG.normal(size=(2, 3, 4, 5))
MASKS = RNG.integers(0, 3, (2, 4, 5)).astype(np.uint8)
MASKS[0, 0] = 255


def pixels(masks: mx.nd.NDArray) -> mx.nd.NDArray:
    """The number of labelled pixels of a batch that is on one device."""
    return nd.array([max(1, int((masks.asnumpy() != 255).sum()))])


def cross_entropy(logits: np.ndarray) -> float:
    """The mean over labelled pixels, in float64 and without MXNet."""
    log_softmax = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    labels = np.where(MASKS == 255, 0, MASKS).astype(int)
    likelihood = np.take_along_axis(log_softmax, labels[:, None], axis=1)[:, 0]
    return float(-likelihood[MASKS != 255].mean())


def gradients(aux_weight: float) -> tuple[float, np.ndarray, np.ndarray]:
    loss = SegmentationLoss(aux_weight)
    loss.hybridize()
    logits, aux_logits = nd.array(LOGITS), nd.array(AUX_LOGITS)
    for array in (logits, aux_logits):
        array.attach_grad()
    with autograd.record():
        masks = nd.array(MASKS, dtype="uint8")
        value = loss(masks, pixels(masks), logits, aux_logits)
    value.backward()
    return float(value.asscalar()), logits.grad.asnumpy(), aux_logits.grad.asnumpy()


def numeric_gradient(logits: np.ndarray) -> np.ndarray:
    step, gradient = 1e-6, np.zeros_like(logits)
    for place in np.ndindex(logits.shape):
        above, below = logits.copy(), logits.copy()
        above[place] += step
        below[place] -= step
        gradient[place] = (cross_entropy(above) - cross_entropy(below)) / (2 * step)
    return gradient


@pytest.mark.parametrize("aux_weight", [0.0, 0.5, 10.0])
def test_value_and_gradient_with_any_auxiliary_weight(aux_weight: float) -> None:
    value, gradient, aux_gradient = gradients(aux_weight)
    expected = cross_entropy(LOGITS) + aux_weight * cross_entropy(AUX_LOGITS)
    assert value == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient, numeric_gradient(LOGITS), atol=1e-6)
    np.testing.assert_allclose(aux_gradient, aux_weight * numeric_gradient(AUX_LOGITS), atol=1e-5)


def test_ignored_pixels_teach_nothing() -> None:
    _, gradient, aux_gradient = gradients(0.5)
    assert not gradient[0, :, 0].any()
    assert not aux_gradient[0, :, 0].any()


def test_a_batch_without_labels_has_loss_zero() -> None:
    masks = nd.full((2, 4, 5), 255, dtype="uint8")
    assert SegmentationLoss(0.5)(masks, pixels(masks), nd.array(LOGITS)).asscalar() == 0


def test_padding_does_not_change_the_loss() -> None:
    """The mean is over labelled pixels, so that a half-empty crop weighs what it shows."""
    logits, masks = nd.array(LOGITS), nd.array(MASKS, dtype="uint8")
    padded_logits = mx.nd.concat(logits, nd.zeros_like(logits), dim=3)
    padded_masks = mx.nd.concat(masks, nd.full(masks.shape, 255, dtype="uint8"), dim=2)
    loss = SegmentationLoss(0.5)
    assert loss(masks, pixels(masks), logits).asscalar() == pytest.approx(
        loss(padded_masks, pixels(padded_masks), padded_logits).asscalar(), rel=1e-6
    )
