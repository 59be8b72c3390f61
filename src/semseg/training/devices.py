"""Which devices train."""

import time
from typing import Any

import mxnet as mx

from semseg.sagemaker import narration
from semseg.sagemaker.hyperparameters import Hyperparameters

Devices = tuple[Any, ...]


def find_devices(job: Hyperparameters) -> Devices:
    """All GPUs that MXNet can see, or the CPU where there is none (or no GPU build).

    No more GPUs than a batch has images: one without an image would have nothing to do. Logs what
    was found.
    """
    started = time.monotonic()
    gpus = int(mx.context.num_gpus())
    used = min(gpus, job.mini_batch_size)
    narration.gpus_found(gpus, used, time.monotonic() - started)
    return tuple(mx.gpu(number) for number in range(used)) or (mx.cpu(),)
