"""The lines in which a run tells how it goes."""

import time
from pathlib import Path

from semseg.sagemaker import metrics, narration


class Report:
    """A run's metrics. Where several hosts train together, only the first has something to say.

    Args:
        host: the name of this host.
        epochs: how many the job asks for.
        speaks: whether anything is said.
    """

    def __init__(self, host: str, epochs: int, speaks: bool) -> None:
        self._host = host
        self._epochs = epochs
        self._speaks = speaks
        self._started = time.time()

    def ready(self) -> None:
        """The data are about to come."""
        if self._speaks:
            metrics.init_data_iterator(self._host, self._started, time.time())

    def epoch_begins(self) -> None:
        """An epoch is under way, or what is left of it."""
        self._started = time.time()

    def trained(self, epoch: int, loss: float, speed: float) -> None:
        """An epoch's mean loss, and images per second."""
        if self._speaks:
            metrics.train_epoch(self._host, epoch, loss, speed)

    def validated(self, epoch: int, pixel_accuracy: float, miou: float, speed: float) -> None:
        """What validation after an epoch gave, and images per second."""
        if self._speaks:
            metrics.validation_epoch(self._host, epoch, pixel_accuracy, miou, speed)

    def best_model(self, epoch: int, path: Path) -> None:
        """The network is the best so far, and has been written to `path`."""
        if self._speaks:
            narration.best_model(path, first=epoch == 0)

    def serializing(self, path: Path) -> None:
        """A model has been written to `path`."""
        if self._speaks:
            narration.serializing(path)

    def epoch_ends(self, epoch: int) -> None:
        """All is done that belongs to an epoch."""
        if self._speaks:
            metrics.progress(self._host, epoch, self._epochs)
            metrics.epoch_data_iterator(self._host, epoch, self._started, time.time())
