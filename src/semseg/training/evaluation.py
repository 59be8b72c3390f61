"""Scoring a network on labelled images."""

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from mxnet import nd

from semseg.data.assembly import Batch
from semseg.sagemaker import metrics
from semseg.training.devices import Devices
from semseg.training.scores import ConfusionMatrix
from semseg.training.speed import Speedometer


def predict_masks(main_path: Any, images: Any) -> Any:
    """The most probable class of each pixel.

    Args:
        main_path: a network that gives logits (N,C,H,W).
        images: normalized images, NDArray float32 (N,3,H,W).

    Returns:
        NDArray uint8 (N,H,W).
    """
    return nd.argmax(main_path(images), axis=1).astype("uint8")


def evaluate(
    main_path: Any,
    batches: Iterable[Batch],
    num_classes: int,
    devices: Devices,
    epoch: int,
    logging_frequency: int,
) -> tuple[ConfusionMatrix, float]:
    """Predicts every batch and logs the original's progress notices on the way.

    Whole batches go to the devices in turn.

    Returns:
        The confusion matrix over all labelled pixels, and images per second.
    """
    confusion = ConfusionMatrix(num_classes)
    speed = Speedometer(time.monotonic)
    for iteration, (batch, predicted) in enumerate(
        _predictions(main_path, batches, devices), start=1
    ):
        confusion.add(batch.masks, predicted.asnumpy())
        speed.count(len(batch.images))
        if iteration % logging_frequency == 0:
            metrics.progress_notice(epoch, iteration, speed.since_last_notice(), None)
    return confusion, speed.overall()


def _predictions(
    main_path: Any, batches: Iterable[Batch], devices: Devices
) -> Iterator[tuple[Batch, Any]]:
    """Each batch with its masks; as many batches at a time as there are devices."""
    remaining = iter(batches)
    while at_a_time := list(islice(remaining, len(devices))):
        # All are under way before the first is waited for.
        predicted = [
            predict_masks(main_path, nd.array(batch.images, ctx=device))
            for batch, device in zip(at_a_time, devices, strict=False)
        ]
        yield from zip(at_a_time, predicted, strict=True)
