"""How much memory a server has taken at most."""

import re
from pathlib import Path


def peak_bytes(process: int) -> int:
    """The peaks of a process and all that descend from it, added up."""
    peaks: dict[int, int] = {}
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:  # it has ended
            continue
        number = int(status.parent.name)
        parents[number] = _figure("PPid", text)
        peaks[number] = _figure("VmHWM", text) * 1024
    family = {process}
    while grown := {each for each, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(peaks.get(each, 0) for each in family)


def _figure(name: str, text: str) -> int:
    found = re.search(rf"^{name}:\s*(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else 0  # a kernel thread, or a zombie
