"""What the host's CPU can do that MXNet's libraries do not find out, asked of Linux.

OpenBLAS, as MXNet brings it, is of 2020: on a CPU that is newer it multiplies matrices with
instructions of 2004 (`openblas_get_corename` says "Prescott"), at half the speed.

AMX is a unit for products of matrices in 8 bits, in Intel's server CPUs since Sapphire Rapids (as
EC2's m7i, c7i and r7i have them). The oneDNN that is inside MXNet 1.9.1 can use it, but does so
only where `DNNL_MAX_CPU_ISA` names it, and never asks Linux for AMX's registers, which a process
gets on demand: without them its first product ends the process with SIGILL.
"""

import ctypes
from collections.abc import Callable, MutableMapping
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

BLAS_CORE_VARIABLE = "OPENBLAS_CORETYPE"
MOST_INSTRUCTIONS_VARIABLE = "DNNL_MAX_CPU_ISA"

# OpenBLAS' names of each vendor's cores by what their code needs, the best one first. MXNet's was
# built without AVX-512 and takes SKYLAKEX for HASWELL; numpy's reads the variable too and has both.
_AVX2 = {"avx2", "fma"}
_AVX512 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
_CORES = {
    "GenuineIntel": {"SKYLAKEX": _AVX2 | _AVX512, "HASWELL": _AVX2},
    "AuthenticAMD": {"ZEN": _AVX2},
}

# What oneDNN's kernels for int8 with AMX need.
_FOR_AMX = {"amx_tile", "amx_int8", "avx512_bf16"}
_WITH_AMX = "AVX512_CORE_AMX"

# Linux's documentation, arch/x86/xstate: how a process asks for the registers. They are its own
# and its forks', but not those of a program that it becomes.
_SYS_ARCH_PRCTL = 158
_ARCH_REQ_XCOMP_PERM = 0x1023
_XFEATURE_XTILEDATA = 18


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


def ask_for_amx() -> bool:
    """Asks Linux for AMX's registers for this process; whether it gives them."""
    linux = ctypes.CDLL(None)
    status: int = linux.syscall(_SYS_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, _XFEATURE_XTILEDATA)
    return status == 0


def use_amx(
    environ: MutableMapping[str, str],
    flags: set[str] | None = None,
    ask: Callable[[], bool] = ask_for_amx,
) -> bool:
    """Lets oneDNN compute int8 with AMX in this process, where the user asks and Linux allows it.

    It is never used unasked: oneDNN's code for it, of 2021, writes beyond its memory for some small
    images, which ends the process (seen at 41x57 with one thread).

    Elsewhere the values are the same to the last bit. Call it before MXNet computes anything, since
    oneDNN looks once. A program that is started from this process has the variable too, but not the
    registers: if it computes int8, it has to call this as well.

    Args:
        environ: this process's environment, where `DNNL_MAX_CPU_ISA` asks for AMX; that is taken
            out where it may not be used.
        flags: the CPU's; those of `cpu_flags` if None.
        ask: for the registers; not called where there is no AMX.

    Returns:
        Whether oneDNN will.
    """
    if environ.get(MOST_INSTRUCTIONS_VARIABLE) != _WITH_AMX:
        return False
    if not (cpu_flags() if flags is None else flags) >= _FOR_AMX or not ask():
        del environ[MOST_INSTRUCTIONS_VARIABLE]
        return False
    return True


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
