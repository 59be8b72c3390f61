"""Masks and probabilities by bands are those of the whole, and take a band's memory."""

import tracemalloc

import mxnet as mx
import numpy as np
import pytest

from semseg.inference import upsampling
from semseg.inference.upsampling import Logits, Size, mask_of, probabilities_of

SIZES = [((5, 7), (40, 56)), ((5, 7), (33, 50)), ((1, 1), (3, 5)), ((4, 1), (1, 9))]


def draw(classes: int, size: Size) -> Logits:
    return np.random.default_rng(1).normal(size=(classes, *size)).astype(np.float32)


def resized(logits: Logits, size: Size) -> Logits:
    """By MXNet's own operator, whole."""
    height, width = size
    batch = mx.nd.array(logits[None])
    return np.asarray(
        mx.nd.contrib.BilinearResize2D(batch, height=height, width=width)[0].asnumpy()
    )


@pytest.mark.parametrize("values_in_a_band", [1, 1000, 1 << 18])
@pytest.mark.parametrize(("coarse", "fine"), SIZES)
def test_bands_make_up_the_whole(
    monkeypatch: pytest.MonkeyPatch, coarse: Size, fine: Size, values_in_a_band: int
) -> None:
    monkeypatch.setattr(upsampling, "_VALUES_IN_A_BAND", values_in_a_band)
    logits = draw(4, coarse)
    whole = resized(logits, fine)
    expected = mx.nd.softmax(mx.nd.array(whole), axis=0).asnumpy()

    np.testing.assert_allclose(probabilities_of(logits, fine), expected, atol=1e-5)
    mask = mask_of(logits, fine)
    chosen = np.take_along_axis(whole, mask[None].astype(int), axis=0)[0]
    np.testing.assert_allclose(chosen, whole.max(axis=0), atol=1e-5)
    assert mask.dtype == np.uint8


def test_the_first_of_several_best_classes_is_taken() -> None:
    np.testing.assert_array_equal(mask_of(np.zeros((3, 2, 2), np.float32), (9, 9)), 0)


@pytest.mark.parametrize(("make", "most_mib"), [(mask_of, 10), (probabilities_of, 180)])
def test_no_more_than_the_answer_and_a_band_is_in_memory(make: object, most_mib: int) -> None:
    """Logits of 21 classes at 1080x1920 would be 166 MiB, which is what probabilities take."""
    logits = draw(21, (135, 240))
    tracemalloc.start()
    try:
        make(logits, (1080, 1920))  # type: ignore[operator]
        assert tracemalloc.get_traced_memory()[1] < most_mib << 20
    finally:
        tracemalloc.stop()
