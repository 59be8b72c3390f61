import pytest

from semseg import runtime
from semseg.container import available_cpus
from semseg.runtime import prepare, serving_environment


def test_what_the_user_set_stays() -> None:
    environ = {"OMP_NUM_THREADS": "7"}
    prepare(cpus=3, environ=environ)
    assert environ["OMP_NUM_THREADS"] == "7"
    assert environ["MXNET_MKLDNN_CACHE_NUM"] == "200"


def test_no_code_is_compiled_on_gpus_while_mxnet_runs() -> None:
    """CUDA 11.2's compiler knows none for compute capability 8.9, the L4's."""
    assert serving_environment(workers=1)["MXNET_USE_FUSION"] == "0"


def test_threads_follow_the_cpus() -> None:
    environ: dict[str, str] = {}
    prepare(cpus=3, environ=environ)
    assert environ["OMP_NUM_THREADS"] == "3"


def test_workers_share_the_cpus() -> None:
    assert serving_environment(workers=1)["OMP_NUM_THREADS"] == str(available_cpus())
    assert serving_environment(workers=1000)["OMP_NUM_THREADS"] == "1"


def test_int8_keeps_the_kernels_of_a_whole_network_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For the next image of this size; PSP on ResNet-101 has 370 (DNNL_VERBOSE=2)."""
    monkeypatch.setattr(runtime, "available_memory", lambda: 3 << 30)
    name = "DNNL_PRIMITIVE_CACHE_CAPACITY"
    assert int(serving_environment(workers=2, int8=True)[name]) > 370
    assert int(serving_environment(workers=4, int8=True)[name]) == 128
    assert int(serving_environment(workers=1)[name]) == 128
