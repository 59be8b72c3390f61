"""The host's GPUs, asked of NVIDIA's driver itself, before MXNet is imported.

MXNet's CUDA 11.2 build holds machine code for compute capabilities 5.0, 6.0, 7.0, 8.0 and 8.6, and
no intermediate code that a driver could compile for others. Machine code runs on its own major
version from its minor version on. For any other GPU there is nothing to run: MXNet fails late and
unclearly, or hangs.
"""

import ctypes
import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semseg.sagemaker.errors import CustomerError

DRIVER = "libcuda.so.1"
CUDA_BUILD = "mxnet-cu112"

_LOWEST, _ABOVE_HIGHEST = (5, 0), (9, 0)

# Of CUdevice_attribute in NVIDIA's driver API.
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76
_NAME_BYTES = 128


@dataclass(frozen=True)
class Gpu:
    """A GPU by its name, such as Tesla V100-SXM2-16GB, and its compute capability."""

    name: str
    capability: tuple[int, int]


def usable_gpus() -> int:
    """How many GPUs MXNet will see: 0 with its CPU build, and where there is no driver.

    Raises:
        CustomerError: one of them is a GPU that MXNet has no code for.
    """
    if not _mxnet_is_a_cuda_build():
        return 0
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return 0
    gpus = list_gpus(driver)
    refuse_unsupported(gpus)
    return len(gpus)


def list_gpus(driver: Any) -> list[Gpu]:
    """The GPUs that this process may use; `CUDA_VISIBLE_DEVICES` hides others from the driver too.

    Args:
        driver: NVIDIA's driver library, by ctypes.
    """
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return []  # no device, or a driver that does not work: that is for MXNet to say
    return [_gpu(driver, number) for number in range(count.value)]


def refuse_unsupported(gpus: Sequence[Gpu]) -> None:
    """Raises `CustomerError` where MXNet has no code for one of the GPUs."""
    for gpu in gpus:
        if not _LOWEST <= gpu.capability < _ABOVE_HIGHEST:
            capability = ".".join(map(str, gpu.capability))
            raise CustomerError(
                f"This host's {gpu.name} has compute capability {capability}, and MXNet 1.9.1 has "
                "code for 5.0 to 8.9 only: V100, T4, A100, A10G and L4 are such GPUs. Choose an "
                "instance with one of those, or set CUDA_VISIBLE_DEVICES=-1 to use the CPU."
            )


def _gpu(driver: Any, number: int) -> Gpu:
    device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    name = ctypes.create_string_buffer(_NAME_BYTES)
    driver.cuDeviceGet(ctypes.byref(device), number)
    driver.cuDeviceGetName(name, _NAME_BYTES, device)
    driver.cuDeviceGetAttribute(ctypes.byref(major), _CAPABILITY_MAJOR, device)
    driver.cuDeviceGetAttribute(ctypes.byref(minor), _CAPABILITY_MINOR, device)
    return Gpu(name.value.decode(errors="replace"), (major.value, minor.value))


def _mxnet_is_a_cuda_build() -> bool:
    try:
        importlib.metadata.version(CUDA_BUILD)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
