"""How often an action is repeated, and what is left out."""

import time
from collections.abc import Callable

_SLOW = 3  # seconds; what takes longer is warm after one


def repeat(action: Callable[[], object], seconds: float, least: int) -> list[float]:
    """Seconds of each repetition, for about `seconds` but at least `least` times.

    What builds what later ones find built is left out: the first two, or the first of a slow one.
    """

    if seconds_of(action) < _SLOW:
        seconds_of(action)
    measured: list[float] = []
    while len(measured) < least or sum(measured) < seconds:
        measured.append(seconds_of(action))
    return measured


def seconds_of(action: Callable[[], object]) -> float:
    """Seconds that an action takes, to a tenth of a millisecond."""
    started = time.perf_counter()
    action()
    return round(time.perf_counter() - started, 4)
