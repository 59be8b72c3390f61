"""Whether a job fits into the memory there is, told before an hour is spent. Imports no MXNet.

A process that outgrows its container is killed by the kernel with exit code 137 and no last word.
So an estimate is made first. It is a low one: what it refuses would have been killed.
"""

from semseg.container import available_memory
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameters import Hyperparameters

_MIB = 1 << 20
_GIB = 1 << 30

# Peaks of the resident set, measured with 21 classes and sgd: 180 MiB for Python and MXNet; 4.6 to
# 5 times the parameters, for values, gradients, momentum and oneDNN's own copies; and for each
# pixel of a batch 5.2 KiB with ResNet-50, 7.8 KiB with ResNet-101.
_PROGRAM = 180 * _MIB
_COPIES_OF_PARAMETERS = 4.5
_BYTES_A_PIXEL = {"resnet-50": 5200, "resnet-101": 7800}

# Values in MiB, auxiliary head included; more classes add next to nothing.
_PARAMETERS = {
    ("fcn", "resnet-50"): 135,
    ("fcn", "resnet-101"): 208,
    ("psp", "resnet-50"): 187,
    ("psp", "resnet-101"): 260,
    ("deeplab", "resnet-50"): 161,
    ("deeplab", "resnet-101"): 234,
}

# How much of the estimate must be there: a little of it is shared or can be given back.
_SURE = 0.8


def refuse_too_little_memory(job: Hyperparameters, gpus: int, memory: int | None = None) -> None:
    """Makes sure that the job can be held in memory.

    Args:
        job: the job's hyperparameters.
        gpus: GPUs in use. With one, the batches' activations are in its memory, not in this one.
        memory: bytes; all that the container has if None.

    Raises:
        CustomerError: what the job needs, what there is, and what to change.
    """
    memory = available_memory() if memory is None else memory
    fixed = _PROGRAM + _COPIES_OF_PARAMETERS * _PARAMETERS[job.algorithm, job.backbone] * _MIB
    image = 0 if gpus else _BYTES_A_PIXEL[job.backbone] * job.crop_size**2
    needed = fixed + image * job.mini_batch_size
    if memory >= _SURE * needed:
        return
    fitting = int((memory / _SURE - fixed) // image) if image else 0
    advice = (
        f"Set mini_batch_size to {fitting} or less, make crop_size smaller"
        if fitting > 0
        else "Choose another network"
    )
    raise CustomerError(
        f"Training {job.algorithm} on {job.backbone} with mini_batch_size={job.mini_batch_size} "
        f"and crop_size={job.crop_size} needs about {needed / _GIB:.1f} GiB of memory, and there "
        f"are {memory / _GIB:.1f} GiB. {advice}, or give the job more memory (a larger instance; "
        "docker run --memory)."
    )
