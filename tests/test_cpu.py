import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from semseg import runtime
from semseg.cpu import blas_core, cpu_flags, use_amx

SAPPHIRE_RAPIDS = {"avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8"}


def test_flags_are_those_of_all_processors(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(
        "processor\t: 0\nmodel name\t: a CPU\nflags\t\t: sse2 avx2\nbugs\t\t: amx_int8\n"
        "processor\t: 1\nflags\t\t: sse2 avx2\n"
    )
    assert cpu_flags(cpuinfo) == {"sse2", "avx2"}


def test_a_system_that_does_not_tell_has_none(tmp_path: Path) -> None:
    assert cpu_flags(tmp_path / "no such file") == set()


AVX512 = "avx512f avx512dq avx512cd avx512bw avx512vl"


@pytest.mark.parametrize(
    ("vendor", "flags", "core"),
    [
        ("GenuineIntel", f"fma avx2 {AVX512} amx_int8", "SKYLAKEX"),
        ("GenuineIntel", "fma avx2 avx512f", "HASWELL"),
        ("GenuineIntel", "sse2 avx", None),
        ("AuthenticAMD", f"fma avx2 {AVX512}", "ZEN"),
        ("HygonGenuine", "fma avx2", None),
    ],
)
def test_openblas_is_told_of_a_core_whose_code_runs(
    tmp_path: Path, vendor: str, flags: str, core: str | None
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"vendor_id\t: {vendor}\nflags\t\t: {flags}\n")
    assert blas_core(cpuinfo) == core


@pytest.mark.parametrize("core", ["HASWELL", None])
def test_what_it_is_told_is_in_the_environment(
    core: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "blas_core", lambda: core)
    assert runtime.environment(cpus=1).get("OPENBLAS_CORETYPE") == core


@pytest.mark.parametrize(
    ("core", "taken"), [("HASWELL", "Haswell"), ("SKYLAKEX", "Haswell"), ("ZEN", "Zen")]
)
def test_mxnets_openblas_obeys(core: str, taken: str) -> None:
    [mxnet] = importlib.util.find_spec("mxnet").submodule_search_locations
    program = """
import ctypes, sys
name = ctypes.CDLL(sys.argv[1]).openblas_get_corename
name.restype = ctypes.c_char_p
print(name().decode())
"""
    found = subprocess.run(
        [sys.executable, "-c", program, f"{mxnet}/libopenblas.so.0"],
        env={"OPENBLAS_CORETYPE": core},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert found == taken


ASKED_FOR = {"DNNL_MAX_CPU_ISA": "AVX512_CORE_AMX"}


def test_amx_is_used_where_the_user_asks_for_it_and_linux_gives_its_registers() -> None:
    environ = dict(ASKED_FOR)
    assert use_amx(environ, SAPPHIRE_RAPIDS, ask=lambda: True)
    assert environ == ASKED_FOR


@pytest.mark.parametrize("environ", [{}, {"DNNL_MAX_CPU_ISA": "AVX2"}])
def test_it_is_not_used_unasked(environ: dict[str, str]) -> None:
    before = dict(environ)
    assert not use_amx(environ, SAPPHIRE_RAPIDS, ask=lambda: True)
    assert environ == before


def test_where_linux_refuses_onednn_does_not_hear_of_it() -> None:
    """It would end with SIGILL."""
    environ = dict(ASKED_FOR)
    assert not use_amx(environ, SAPPHIRE_RAPIDS, ask=lambda: False)
    assert environ == {}


@pytest.mark.parametrize("missing", sorted(SAPPHIRE_RAPIDS - {"avx512_vnni"}))
def test_a_cpu_without_it_is_not_asked_for(missing: str) -> None:
    def ask() -> bool:
        raise AssertionError("another architecture may mean something else by this number")

    environ = dict(ASKED_FOR)
    assert not use_amx(environ, SAPPHIRE_RAPIDS - {missing}, ask)
    assert environ == {}
