"""What Linux says of the CPU: its features, and which of OpenBLAS' kernels suit it.

OpenBLAS, as MXNet brings it, is of 2020: on a CPU that is newer it multiplies matrices with
instructions of 2004 (`openblas_get_corename` says "Prescott"), at half the speed.
"""

from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

BLAS_CORE_VARIABLE = "OPENBLAS_CORETYPE"

# OpenBLAS' names of each vendor's cores by what their code needs, the best one first. MXNet's was
# built without AVX-512 and takes SKYLAKEX for HASWELL; numpy's reads the variable too and has both.
_AVX2 = {"avx2", "fma"}
_AVX512 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
_CORES = {
    "GenuineIntel": {"SKYLAKEX": _AVX2 | _AVX512, "HASWELL": _AVX2},
    "AuthenticAMD": {"ZEN": _AVX2},
}


def cpu_flags(cpuinfo: Path = CPUINFO) -> set[str]:
    """The CPU's features as Linux calls them; none where the system does not tell."""
    return _flags(_told(cpuinfo))


def blas_core(cpuinfo: Path = CPUINFO) -> str | None:
    """The core whose code OpenBLAS is to use; None where it is to find out by itself."""
    told = _told(cpuinfo)
    flags = _flags(told)
    for name, vendor in told:
        cores = _CORES.get(vendor, {}) if name == "vendor_id" else {}
        for core, needed in cores.items():
            if needed <= flags:
                return core
    return None


def _told(cpuinfo: Path) -> set[tuple[str, str]]:
    """Names and values, of all processors."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return set()
    pairs = (line.partition(":") for line in lines)
    return {(name.strip(), value.strip()) for name, _, value in pairs}


def _flags(told: set[tuple[str, str]]) -> set[str]:
    return {flag for name, flags in told if name == "flags" for flag in flags.split()}
