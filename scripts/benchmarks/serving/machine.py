"""What was measured on, for those who compare."""

import os
import re
from pathlib import Path

from semseg.container import available_cpus


def machine() -> str:
    """The CPU's name, how many there are to use, and what it has for small numbers."""
    text = Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
    model = re.search(r"model name\s*:\s*(.+)", text)
    flags = set(text.split())
    extras = [
        name for name in ("avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8") if name in flags
    ]
    name = model[1].strip() if model else "unknown CPU"
    return f"{name}, {available_cpus()} CPUs ({', '.join(extras) or 'no int8 instructions'})"
