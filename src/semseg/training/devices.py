"""Which device the network lives on."""

import time
from typing import Any

import mxnet as mx

from semseg.sagemaker import narration


def find_device() -> Any:
    """The first GPU that MXNet can see, or the CPU where there is none (or no GPU build).

    Logs what was found. More than one GPU is no use to this version.
    """
    started = time.monotonic()
    gpus = int(mx.context.num_gpus())
    narration.gpus_found(gpus, min(1, gpus), time.monotonic() - started)
    return mx.gpu(0) if gpus else mx.cpu()
