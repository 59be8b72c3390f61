"""Pixel accuracy and mIOU from a confusion matrix."""

import numpy as np
import numpy.typing as npt

from semseg.training.loss import IGNORE_LABEL


class ConfusionMatrix:
    """Counts of labelled pixels by true and predicted class, over any number of images.

    Args:
        num_classes: number of classes, the background included.
    """

    def __init__(self, num_classes: int) -> None:
        self._classes = num_classes
        self.counts: npt.NDArray[np.int64] = np.zeros((num_classes, num_classes), np.int64)

    def add(self, masks: npt.NDArray[np.uint8], predicted: npt.NDArray[np.uint8]) -> None:
        """Counts the labelled pixels of masks and predicted masks, both uint8 of one shape."""
        labelled = masks != IGNORE_LABEL
        cells = masks[labelled].astype(np.int64) * self._classes + predicted[labelled]
        counts = np.bincount(cells, minlength=self._classes**2)
        self.counts += counts.reshape(self._classes, self._classes)

    def add_up(self, counts: list[list[list[int]]]) -> None:
        """Replaces the counts by the sum of several, each (C,C): those of all hosts."""
        self.counts = np.sum(np.asarray(counts, np.int64), axis=0)

    @property
    def pixel_accuracy(self) -> float:
        """Share of labelled pixels with the right class; 0 where there are none."""
        return float(np.trace(self.counts) / max(1, self.counts.sum()))

    @property
    def iou_per_class(self) -> npt.NDArray[np.float64]:
        """Intersection over union of each class; 0 for a class neither there nor predicted."""
        intersection = np.diag(self.counts)
        union = self.counts.sum(axis=0) + self.counts.sum(axis=1) - intersection
        return np.asarray(intersection / np.maximum(1, union), np.float64)

    @property
    def miou(self) -> float:
        """The original's mIOU: the plain mean over all classes, absent ones counting 0."""
        return float(self.iou_per_class.mean())
