"""What this process may use of the machine: its CPUs and memory, cut by the container's limits."""

import math
import os
from pathlib import Path


def available_cpus(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """CPUs this process may use: its affinity mask, cut by the container's CPU limit.

    Args:
        cgroup: where the cgroup file system is mounted (version 1 or 2).
    """
    allowed = len(os.sched_getaffinity(0))
    limit = _cgroup_limit(cgroup)
    return allowed if limit is None else max(1, min(allowed, math.ceil(limit)))


def available_memory(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes of memory this process may use: the machine's, cut by the container's limit.

    Args:
        cgroup: where the cgroup file system is mounted (version 1 or 2).
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            return min(machine, int((cgroup / name).read_text()))
        except (OSError, ValueError):  # not this version, or "max": no limit
            continue
    return machine


def folder_in_memory() -> str | None:
    """A folder on no disk that this process may write to, if there is one."""
    folder = "/dev/shm"
    return folder if os.access(folder, os.W_OK) else None


def _cgroup_limit(cgroup: Path) -> float | None:
    """The container's CPU limit, as docker's `--cpus` sets it; None where there is none."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text()
        except OSError:
            return None
    try:
        return int(quota) / int(period) if int(quota) > 0 else None
    except ValueError:  # "max": no limit
        return None
