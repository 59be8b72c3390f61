"""A network that does nothing but take its time."""

from time import sleep
from typing import Any


class Waits:
    """A network that takes so many seconds; counts what it was given."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.batches = 0

    def __call__(self, batch: Any) -> Any:
        self.batches += 1
        sleep(self._seconds)
        return batch
