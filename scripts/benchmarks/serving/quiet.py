"""Whether the machine has nothing else to do."""

import time
from pathlib import Path

_STAT = Path("/proc/stat")


def busy_share(seconds: float = 1) -> float:
    """The share of all CPUs' time, from 0 to 1, that somebody takes while this process sleeps."""
    idle, total = _times()
    time.sleep(seconds)
    idle_later, total_later = _times()
    return 1 - (idle_later - idle) / max(1, total_later - total)


def _times() -> tuple[int, int]:
    """Idle (waiting for a disk included) and all time of all CPUs so far, in ticks."""
    ticks = [int(text) for text in _STAT.read_text().splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)
