"""Intersection over union of predicted masks, counted apart from the package's own metrics."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]


def iou_per_class(pairs: Iterable[tuple[Mask, Mask]], num_classes: int) -> list[float]:
    """IoU of each class over all (truth, prediction) pairs; 0 for a class that is in none."""
    intersection = np.zeros(num_classes)
    union = np.zeros(num_classes)
    for truth, predicted in pairs:
        for label in range(num_classes):
            there, found = truth == label, predicted == label
            intersection[label] += np.count_nonzero(there & found)
            union[label] += np.count_nonzero(there | found)
    return [float(both / max(1, either)) for both, either in zip(intersection, union, strict=True)]
