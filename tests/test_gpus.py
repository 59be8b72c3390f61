import ctypes
from importlib import metadata

import pytest

from semseg import gpus
from semseg.gpus import Gpu, list_gpus, refuse_unsupported, usable_gpus
from semseg.sagemaker.errors import CustomerError


class Driver:
    """What ctypes would make of a driver library, for GPUs of these names and capabilities."""

    def __init__(self, *found: Gpu, status: int = 0) -> None:
        self._gpus = found
        self._status = status

    def cuInit(self, flags):
        return self._status

    def cuDeviceGetCount(self, count):
        count._obj.value = len(self._gpus)
        return 0

    def cuDeviceGet(self, device, number):
        device._obj.value = number
        return 0

    def cuDeviceGetName(self, name, length, device):
        name.value = self._gpus[device.value].name.encode()
        return 0

    def cuDeviceGetAttribute(self, value, attribute, device):
        value._obj.value = self._gpus[device.value].capability[attribute - 75]
        return 0


V100 = Gpu("Tesla V100-SXM2-16GB", (7, 0))
L4 = Gpu("NVIDIA L4", (8, 9))
H100 = Gpu("NVIDIA H100 80GB HBM3", (9, 0))
K80 = Gpu("Tesla K80", (3, 7))


def test_the_driver_is_asked_for_names_and_capabilities():
    assert list_gpus(Driver(V100, H100)) == [V100, H100]


def test_a_driver_that_finds_no_device_has_none():
    assert list_gpus(Driver(V100, status=100)) == []


def test_what_mxnet_has_code_for_passes():
    refuse_unsupported([V100, L4])


@pytest.mark.parametrize("gpu", [H100, K80])
def test_another_gpu_is_named_with_what_to_do(gpu):
    with pytest.raises(CustomerError) as refusal:
        refuse_unsupported([V100, gpu])

    sentence = str(refusal.value)
    assert gpu.name in sentence
    assert ".".join(map(str, gpu.capability)) in sentence
    assert "CUDA_VISIBLE_DEVICES=-1" in sentence


@pytest.fixture
def cuda_build(monkeypatch):
    """MXNet's CUDA build, as far as the installed packages say."""
    monkeypatch.setattr(metadata, "version", {gpus.CUDA_BUILD: "1.9.1"}.__getitem__)


def test_gpus_are_counted_with_the_cuda_build_only(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(H100))

    assert usable_gpus() == 0


def test_the_cuda_build_counts_them(monkeypatch, cuda_build):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(V100, V100))

    assert usable_gpus() == 2


def test_a_host_without_a_driver_has_none(monkeypatch, cuda_build):
    def load(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", load)

    assert usable_gpus() == 0
