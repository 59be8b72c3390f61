"""Whether a smaller number format is the faster one here."""

import time
from typing import Any, Protocol

import mxnet as mx

# GPUs need larger images to have anything to do.
_TRIED_SIDES = {"cpu": 256, "gpu": 1024}
_LEAST_TRIES, _MOST_TRIES = 5, 20  # of each
_SECONDS = 1  # beyond which no more than the least are needed
# Where both take about as long, chance must not decide whether a server starts.
_CLEARLY = 1.1


class Compute(Protocol):
    """A network: normalized images, NDArray float32 (N,3,H,W), to the head's logits."""

    def __call__(self, batch: Any, /) -> Any: ...


def times_if_slower(smaller: Compute, float32: Compute, device: Any) -> str | None:
    """What an image takes in the smaller format and in float32, if that is clearly more; else None.

    Args:
        smaller: the network in the smaller format.
        float32: the same network in float32.
        device: MXNet context of both.
    """
    side = _TRIED_SIDES[device.device_type]
    batch = mx.nd.zeros((1, 3, side, side), ctx=device)
    for network in (smaller, float32):
        for _ in range(2):  # the first one compiles, and the second prepares for this size
            network(batch).wait_to_read()
    # In turns, so that both meet whatever else goes on here; that only ever adds to their times.
    tries: list[tuple[float, float]] = []
    until = time.perf_counter() + _SECONDS
    while len(tries) < _LEAST_TRIES or (len(tries) < _MOST_TRIES and time.perf_counter() < until):
        tries.append((_milliseconds(smaller, batch), _milliseconds(float32, batch)))
    one, other = (min(taken) for taken in zip(*tries, strict=True))
    if one <= _CLEARLY * other:
        return None
    return f"{one:.1f} ms against {other:.1f} ms for an image of {side} x {side}"


def _milliseconds(network: Compute, batch: Any) -> float:
    started = time.perf_counter()
    network(batch).wait_to_read()
    return (time.perf_counter() - started) * 1000
