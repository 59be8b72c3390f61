from pathlib import Path

import numpy as np

from semseg.serving.heap import give_back_unused


def resident_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def test_room_of_what_is_gone_is_given_back() -> None:
    # Small enough for the C library to keep, with something after them that stays.
    arrays = [np.ones(1000) for _ in range(20_000)]
    stays = np.ones(1000)
    before = resident_mib()
    del arrays
    give_back_unused()
    assert resident_mib() < before - 100
    assert stays.all()
