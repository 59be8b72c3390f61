"""The learning rate as a function of the number of updates done.

The shapes are those of GluonCV's `LRScheduler`. The numbers of the poly schedule were fitted to the
real logs of the original container: all 160 learning rates printed in them come out.
"""

import math
from collections.abc import Callable

from semseg.sagemaker.hyperparameters import Hyperparameters

Schedule = Callable[[int], float]

_POLY_POWER = 0.9
# The original's poly schedule ends a little below zero: this much makes every learning rate in the
# logs of two jobs (base 0.001 and 0.0001) come out to the last digit; 0 misses 12 of 160.
_POLY_UNDERSHOOT = 1e-7


def iterations_per_epoch(job: Hyperparameters, hosts: int = 1) -> int:
    """Iterations of an epoch as the original counts them, which is without counting files.

    Several hosts take a batch each at a time.
    """
    return max(1, job.num_training_samples // (job.mini_batch_size * hosts))


def make_schedule(job: Hyperparameters, hosts: int = 1) -> Schedule:
    """The schedule that a job's hyperparameters ask for: `poly`, `cosine` or `step`."""
    per_epoch = iterations_per_epoch(job, hosts)
    total = per_epoch * job.epochs
    if job.lr_scheduler == "step":
        steps = [epoch * per_epoch for epoch in job.lr_scheduler_step]
        return _step(job.learning_rate, job.lr_scheduler_factor, steps)
    shape = {"poly": _poly, "cosine": _cosine}[job.lr_scheduler]
    return shape(job.learning_rate, total)


def _poly(base: float, total: int) -> Schedule:
    def learning_rate(updates: int) -> float:
        left = 1 - min(updates, total) / total
        return max(0.0, (base + _POLY_UNDERSHOOT) * math.pow(left, _POLY_POWER) - _POLY_UNDERSHOOT)

    return learning_rate


def _cosine(base: float, total: int) -> Schedule:
    def learning_rate(updates: int) -> float:
        return base * (1 + math.cos(math.pi * min(updates, total) / total)) / 2

    return learning_rate


def _step(base: float, factor: float, steps: list[int]) -> Schedule:
    def learning_rate(updates: int) -> float:
        return float(base * factor ** sum(step <= updates for step in steps))

    return learning_rate
