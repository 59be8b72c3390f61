import os
from pathlib import Path

import pytest

from semseg.container import available_cpus, available_memory

ALLOWED = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("9900000 100000", ALLOWED),
        ("max 100000", ALLOWED),
    ],
)
def test_the_containers_limit_counts(tmp_path: Path, quota: str, cpus: int) -> None:
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert available_cpus(tmp_path) == cpus


@pytest.mark.parametrize(("quota", "cpus"), [("100000", 1), ("-1", ALLOWED)])
def test_the_limit_of_cgroup_version_1(tmp_path: Path, quota: str, cpus: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert available_cpus(tmp_path) == cpus


def test_without_cgroups(tmp_path: Path) -> None:
    assert available_cpus(tmp_path / "none") == ALLOWED


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_the_containers_memory_limit_counts(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("536870912\n")
    assert available_memory(tmp_path) == 536870912


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_no_memory_limit_means_the_machines(tmp_path: Path, limit: str) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    assert available_memory(tmp_path) == available_memory(tmp_path / "none") > 1 << 28
