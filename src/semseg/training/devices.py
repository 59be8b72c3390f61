"""Which device the network lives on."""

from typing import Any

import mxnet as mx


def count_gpus() -> int:
    """GPUs that MXNet can see; 0 with its CPU build."""
    return int(mx.context.num_gpus())


def choose_device(gpus: int) -> Any:
    """The first GPU, or the CPU where there is none."""
    return mx.gpu(0) if gpus else mx.cpu()


def seed_generators(seed: int | None) -> None:
    """Makes initial weights and dropout repeatable. Batches have generators of their own."""
    if seed is not None:
        mx.random.seed(seed)
