import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from semseg import runtime
from semseg.cpu import blas_core, cpu_flags


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
