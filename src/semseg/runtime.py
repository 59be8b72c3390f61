"""What must be set before MXNet is imported: threads, oneDNN's cache, OpenBLAS' code, GPUs.

MXNet reads these variables once, when its library is loaded, so the entrypoints call this module
first. A variable that the user set stays as it is.
"""

import os
from collections.abc import MutableMapping

from semseg.container import available_cpus, available_memory
from semseg.cpu import BLAS_CORE_VARIABLE, blas_core

# Kernels that oneDNN keeps per thread, one for each shape seen. Without a bound a worker's memory
# grows with every new image size; with this one it levels off at the same speed.
_KERNELS_KEPT = "200"
# oneDNN's own, of all threads. In float32 a network has some thirty different ones for each image
# size. In int8, where each layer's scales are part of them, PSP has 216 on ResNet-50 and 370 on
# ResNet-101, and one that is gone before its turn comes again was kept for nothing.
_COMPILED_KERNELS_KEPT = "128"
_COMPILED_INT8_KERNELS_KEPT = "400"
# Bytes of memory that a worker must have for that.
_ROOM_FOR_INT8_KERNELS = 1 << 30


def environment(cpus: int) -> dict[str, str]:
    """The variables for one process that may keep `cpus` CPUs busy."""
    core = blas_core()
    return {
        # MXNet's own default is half the CPUs of a virtual machine.
        "OMP_NUM_THREADS": str(max(1, cpus)),
        # Threads that wait must sleep: they share the CPUs with those that decode images, and
        # spinning slows both down where the CPUs are busy.
        "OMP_WAIT_POLICY": "PASSIVE",
        "MXNET_MKLDNN_CACHE_NUM": _KERNELS_KEPT,
        # Keeps freed GPU memory by rounded size, so that images of many sizes can share it.
        "MXNET_GPU_MEM_POOL_TYPE": "Round",
        # Or MXNet would have NVIDIA's compiler make code of sums and activations while it runs, for
        # GPUs that the compiler of CUDA 11.2 does not know (L4), which ends in an error.
        "MXNET_USE_FUSION": "0",
        **({} if core is None else {BLAS_CORE_VARIABLE: core}),
    }


def serving_environment(workers: int, int8: bool = False) -> dict[str, str]:
    """The variables for a server of `workers` processes that share this container's CPUs.

    Args:
        workers: how many there are.
        int8: whether they compute in int8.
    """
    roomy = available_memory() // workers >= _ROOM_FOR_INT8_KERNELS
    return {
        **environment(available_cpus() // workers),
        # One allocator arena for each HTTP thread would keep what large images left behind.
        "MALLOC_ARENA_MAX": "2",
        # What large images took goes back as soon as it is free, instead of once all above it is.
        "MALLOC_MMAP_THRESHOLD_": "1048576",
        "DNNL_PRIMITIVE_CACHE_CAPACITY": (
            _COMPILED_INT8_KERNELS_KEPT if int8 and roomy else _COMPILED_KERNELS_KEPT
        ),
        # cuDNN would try its algorithms anew for every image size, seconds each time.
        "MXNET_CUDNN_AUTOTUNE_DEFAULT": "0",
    }


def prepare(cpus: int | None = None, environ: MutableMapping[str, str] | None = None) -> None:
    """Sets the variables for this process. Call it before the first import of MXNet.

    Args:
        cpus: CPUs to use; all that are available if None.
        environ: the environment to set them in; this process's if None.
    """
    target = os.environ if environ is None else environ
    for name, value in environment(available_cpus() if cpus is None else cpus).items():
        target.setdefault(name, value)
