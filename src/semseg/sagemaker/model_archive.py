"""`model.tar.gz`, taken apart without trusting it.

Only files that are asked for by name are taken out, each under that name into a folder that is new:
nothing can land elsewhere, and there is no link to follow. The archive is read once, from front to
back, and never more of it than a sound one can hold, however little room it takes while packed.
"""

import gzip
import logging
import shutil
import tarfile
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from semseg.sagemaker.errors import CustomerError, PlatformError
from semseg.sagemaker.problems import shorten

_LOG = logging.getLogger(__name__)

SUFFIXES = (".tar.gz", ".tgz")

# The largest network here, PSP on ResNet-101, has 273 MB of parameters, and an archive two of them.
LARGEST_FILE = 1 << 30
_MOST_BYTES = 4 << 30
_MOST_MEMBERS = 10_000
_LONGEST_READ = 1 << 24  # a header's; tarfile reads long names and the like into memory at once
_PIECE = 1 << 20
_NAMED = 5


class _UntrustworthyError(Exception):
    """The archive is not to be trusted; the message is the end of a sentence about it."""


@contextmanager
def unpacked(archive: Path, names: Collection[str]) -> Iterator[Path]:
    """A folder with those of the files `names` that the archive has; gone when the block ends.

    In the archive they may lie in a folder. Other members are passed over, with a warning.

    Raises:
        CustomerError: no such archive, one that is damaged or cut short, or one with members that
            no sound one has; the message names the member.
        PlatformError: there is no room for what is in it.
    """
    with _temporary_folder() as folder:
        try:
            with archive.open("rb") as packed, gzip.GzipFile(fileobj=packed) as stream:
                _take_out(archive, _FrontToBack(stream), names, folder)
        except _UntrustworthyError as error:
            raise CustomerError(f"{archive} {error}. Pack it again, or use another one.") from None
        except (CustomerError, PlatformError, MemoryError):
            raise
        except Exception as error:  # whatever tarfile and gzip stumble over
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise CustomerError(
                f"{archive} is damaged or cut short, or no gzipped tar archive at all ({error}). "
                "Copy it again."
            ) from None
        yield folder


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="semseg-")
    except FileNotFoundError as error:
        raise PlatformError(
            "There is no place for temporary files: mount one (docker run --tmpfs /tmp), or name "
            "one in TMPDIR"
        ) from error
    with folder as path:
        yield Path(path)


class _FrontToBack:
    """As much of a file object as tarfile needs, which only ever moves on.

    A header that points back to itself would keep tarfile busy for ever.
    """

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._at = 0

    def tell(self) -> int:
        """How many bytes have been read."""
        return self._at

    def seek(self, position: int) -> int:
        """Reads up to there."""
        if position < self._at:
            raise _UntrustworthyError("has a member of a size below zero")
        while self._at < position and self.read(min(_PIECE, position - self._at)):
            pass
        return self._at

    def read(self, size: int) -> bytes:
        """The next bytes, as many as asked for, fewer at the end."""
        if not 0 <= size <= _LONGEST_READ:
            raise _UntrustworthyError(f"has a header of {size} bytes")
        data = self._stream.read(size)
        self._at += len(data)
        if self._at > _MOST_BYTES:
            raise _UntrustworthyError(f"unpacks to more than {_MOST_BYTES >> 30} GiB")
        return data


def _take_out(archive: Path, stream: _FrontToBack, names: Collection[str], folder: Path) -> None:
    passed_over: list[str] = []
    with tarfile.open(fileobj=stream, mode="r:") as members:  # type: ignore[call-overload]
        for count, member in enumerate(members):
            if count >= _MOST_MEMBERS:
                raise _UntrustworthyError(f"has more than {_MOST_MEMBERS} members")
            name = PurePosixPath(member.name).name
            if name in names:
                _check(member, folder / name)
                _copy(members, member, folder / name)
            elif not member.isdir():
                passed_over.append(shorten(member.name))
    while stream.read(_PIECE):  # to the end, where gzip has its checksum
        pass
    listed = ", ".join(passed_over[:_NAMED]) + ", ..." * (len(passed_over) > _NAMED)
    if not any(folder.iterdir()):
        holds = f"only {listed}" if passed_over else "no file at all"
        raise _UntrustworthyError(f"has none of {', '.join(names)}, {holds}")
    if passed_over:
        _LOG.warning("%s: not read: %s", archive, listed)


def _check(member: tarfile.TarInfo, target: Path) -> None:
    path = PurePosixPath(member.name)
    called = f"has a member {shorten(member.name)}, which"
    if path.is_absolute() or ".." in path.parts:
        raise _UntrustworthyError(f"{called} would leave its folder")
    if not member.isreg() or member.issparse():
        raise _UntrustworthyError(f"{called} is {_kind(member)} and no plain file")
    if not 0 <= member.size <= LARGEST_FILE:
        raise _UntrustworthyError(
            f"{called} has {member.size} bytes: no model has more than {LARGEST_FILE >> 30} GiB"
        )
    if target.exists():
        raise _UntrustworthyError(f"{called} is not the only {target.name} in it")
    free = shutil.disk_usage(target.parent).free
    if free < member.size:
        raise PlatformError(
            f"There is no room to unpack {target.name}: it has {member.size} bytes, and there are "
            f"{free} in {target.parent.parent}. TMPDIR names another place"
        )


def _copy(members: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = members.extractfile(member)
    assert source is not None, "a plain file"
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file, _PIECE)


def _kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return f"a link to {shorten(member.linkname)}"
    if member.isdir():
        return "a folder"
    return "a sparse file" if member.issparse() else "a device"
