"""The folder in which all workers of a server keep their figures."""

import shutil
import tempfile
from pathlib import Path

from semseg.container import folder_in_memory

_PREFIX = "semseg-metrics-"


def make() -> str:
    """A new folder; in memory, where there is such a place."""
    return tempfile.mkdtemp(prefix=_PREFIX, dir=folder_in_memory())


def remove(folder: Path) -> None:
    """Removes what `make` made, and leaves any other folder alone: it is somebody else's."""
    if folder.name.startswith(_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
