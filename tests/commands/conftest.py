"""What the tests of several commands need."""

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def make_read_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes a folder one that takes no files. Permissions would not do: they do not bind root."""

    def make(folder: Path) -> None:
        usual = tempfile.TemporaryFile

        def refuse(*arguments: Any, dir: Path, **options: Any) -> Any:
            if Path(dir) == folder:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            return usual(*arguments, dir=dir, **options)

        monkeypatch.setattr(tempfile, "TemporaryFile", refuse)

    return make
