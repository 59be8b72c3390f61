"""Images per second, since the last notice and since the start."""

from collections.abc import Callable


class Speedometer:
    """Counts images against a clock.

    Args:
        clock: seconds that only ever grow, such as `time.monotonic`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = self._noticed = clock()
        self._images = self._images_since_notice = 0

    def count(self, images: int) -> None:
        """Adds images that are done."""
        self._images += images
        self._images_since_notice += images

    def since_last_notice(self) -> float:
        """Images per second since this was last asked."""
        now = self._clock()
        speed = self._images_since_notice / max(now - self._noticed, 1e-9)
        self._noticed, self._images_since_notice = now, 0
        return speed

    def overall(self) -> float:
        """Images per second since the start."""
        return self._images / max(self._clock() - self._start, 1e-9)
