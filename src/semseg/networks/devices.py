"""Where networks run."""

from typing import Any

import mxnet as mx


def available_devices(most: int) -> tuple[Any, ...]:
    """The GPUs that MXNet can see, at most so many; the CPU where it sees none."""
    return tuple(mx.gpu(number) for number in range(min(most, gpus()))) or (mx.cpu(),)


def gpus() -> int:
    """How many GPUs MXNet can see."""
    return int(mx.context.num_gpus())
