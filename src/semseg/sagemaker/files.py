"""Files that are either the old one or the new one, whenever the process is killed."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from semseg.sagemaker.errors import CustomerError, PlatformError

# SageMaker's own containers end names this way while a file is not yet worth uploading.
TEMPORARY_SUFFIX = ".sagemaker-ignore"
_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP)


@contextmanager
def replacement(path: Path, write: Callable[[Path], None]) -> Iterator[None]:
    """Replaces `path`, at the end of the block, by what `write` put into a temporary path.

    When the block begins, the new file is whole and on the disk, so that the end takes no time.
    If the block raises, `path` stays as it was.

    The temporary file lies in the same folder, which is created if missing. Its name depends on
    `path` alone, so the next attempt also clears away what a killed one left. One writer per path.

    Raises whatever `write` raises, and OSError; `path` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        write(temporary)
        _sync(temporary)
        yield
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Replaces `path` by what `write` puts into the temporary path it is given; `replacement`."""
    with replacement(path, write):
        pass


def temporary_beside(path: Path) -> Path:
    """Where the new content of `path` lies until it is whole."""
    return path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the content of `path` by `data`, atomically."""

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)

    write_atomically(path, write)


def write_text(path: Path, text: str) -> None:
    """Replace the content of `path` by `text` in UTF-8, atomically."""
    write_bytes(path, text.encode())


def check_writable(folder: Path) -> None:
    """Makes sure that files can be put into `folder`, which is created if missing.

    Raises PlatformError, better now than after the first epoch: the folder, why not, who is asking.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _try_to_write(folder)
    except OSError as error:
        raise PlatformError(
            f"Nothing can be written to {folder}: {error.strerror}. Mount it writable for the user "
            f"this runs as (number {os.geteuid()})."
        ) from error


def check_target(folder: Path, otherwise: str) -> None:
    """Makes sure that files can be put into `folder`, which need not be there yet; makes nothing.

    For what a person runs, and may be told before the work rather than after it. `otherwise` says
    what else there is to do than to make the folder writable, such as `name another --output`.

    Raises CustomerError: the folder, what keeps files out of it, and where.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not os.path.isdir(there):
        raise CustomerError(
            f"Nothing can be written to {folder}: {there} is not a folder. Move it out of the way, "
            f"or {otherwise}."
        )
    try:
        _try_to_write(there)
    except OSError as error:
        raise CustomerError(
            f"Nothing can be written to {folder}: {error.strerror} (in {there}, for the user "
            f"number {os.geteuid()}). Make it writable, or {otherwise}."
        ) from error


def _try_to_write(folder: Path) -> None:
    # A file without a name, where the file system knows such: a kill leaves nothing behind.
    with tempfile.TemporaryFile(dir=folder):
        pass


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself lasting, where the file system knows how to."""
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
