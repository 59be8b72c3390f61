"""Whether int8 can be computed with AMX here."""

import subprocess
import sys

from tests.contract.server import SOURCES


def amx_is_given() -> bool:
    """Asks in a process of its own: what Linux has given, it does not take back."""
    program = "import sys; from semseg.cpu import use_amx; sys.exit(not use_amx({}))"
    finished = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(SOURCES)})
    return finished.returncode == 0
