"""Which devices train."""

import time
from typing import Any

from semseg.networks.devices import available_devices, gpus
from semseg.sagemaker import narration
from semseg.sagemaker.hyperparameters import Hyperparameters

Devices = tuple[Any, ...]


def find_devices(job: Hyperparameters) -> Devices:
    """All GPUs that MXNet can see, or the CPU where there is none (or no GPU build).

    No more GPUs than a batch has images: one without an image would have nothing to do. Logs what
    was found.
    """
    started = time.monotonic()
    found = gpus()
    devices = available_devices(job.mini_batch_size)
    narration.gpus_found(found, min(found, len(devices)), time.monotonic() - started)
    return devices
