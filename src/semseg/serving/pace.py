"""How long a client may take."""

import time

# Seconds that a client may pause in the middle of a request or an answer.
STALL = 20

# Bytes a second below which one that never pauses is let go too, once it has had its `STALL`.
SLOWEST = 4096


class Pace:
    """The time that a client has, longer with all that it sends or takes.

    Args:
        seconds: what it has to begin with; `STALL` if None.

    Attributes:
        started: when it began, by `time.monotonic`.
        deadline: when its time is over.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.started = time.monotonic()
        self.deadline = self.started + (STALL if seconds is None else seconds)
        self._moved = 0

    def move(self, size: int) -> None:
        """It has sent or taken as many bytes more."""
        self._moved += size
        whole = self.started + STALL + self._moved / SLOWEST
        self.deadline = min(time.monotonic() + STALL, whole)
