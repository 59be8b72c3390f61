import numpy as np
import pytest

from semseg.training.scores import ConfusionMatrix


def test_agrees_with_gluoncv_over_several_images() -> None:
    from gluoncv.utils.metrics.segmentation import SegmentationMetric
    from mxnet import nd

    rng = np.random.default_rng(3)
    ours, theirs = ConfusionMatrix(5), SegmentationMetric(5)
    for _ in range(3):
        logits = rng.normal(size=(2, 5, 6, 7))
        logits[:, 4] -= 100  # class 4 is never predicted
        masks = rng.integers(0, 4, (2, 6, 7)).astype(np.uint8)  # and never there
        ignored = rng.random(masks.shape) < 0.2
        ours.add(np.where(ignored, 255, masks).astype(np.uint8), logits.argmax(1).astype(np.uint8))
        theirs.update(nd.array(np.where(ignored, -1, masks)), nd.array(logits))
    pixel_accuracy, miou = theirs.get()
    assert ours.pixel_accuracy == pytest.approx(pixel_accuracy)
    assert ours.miou == pytest.approx(miou)


def test_an_absent_class_counts_zero_in_the_mean() -> None:
    confusion = ConfusionMatrix(4)
    masks = np.array([[0, 0, 1, 255]], np.uint8)
    confusion.add(masks, np.array([[0, 1, 1, 3]], np.uint8))
    assert confusion.iou_per_class.tolist() == [0.5, 0.5, 0, 0]
    assert confusion.miou == 0.25
    assert confusion.pixel_accuracy == pytest.approx(2 / 3)


def test_no_labelled_pixel_gives_zero_and_not_nan() -> None:
    confusion = ConfusionMatrix(2)
    confusion.add(np.full((2, 2), 255, np.uint8), np.zeros((2, 2), np.uint8))
    assert confusion.pixel_accuracy == confusion.miou == 0
