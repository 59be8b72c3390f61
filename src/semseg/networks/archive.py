"""An artifact as a folder or as `model.tar.gz`: found in either, and given one more file."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from semseg.networks.artifact import BEST, CONFIGURATION, LAST
from semseg.sagemaker import model_archive
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.files import check_target, write_atomically, write_bytes

# Trained weights hardly get smaller, whatever time gzip is given.
_LEVEL = 1


@contextmanager
def artifact_folder(path: Path) -> Iterator[Path]:
    """The folder of an artifact's three files; of an archive, one that is gone after the block.

    Raises:
        CustomerError: there is nothing there, or no archive that can be trusted. What the block
            raises of the folder's files is told of the archive, which will still be there.
    """
    if path.is_dir():
        yield path
        return
    if not path.exists():
        raise CustomerError(f"There is no model: neither a folder nor a file {path} exists.")
    with model_archive.unpacked(path, (BEST, LAST, CONFIGURATION)) as folder:
        try:
            yield folder
        except CustomerError as error:
            raise CustomerError(str(error).replace(str(folder), str(path))) from None


def check_room_for_file(artifact: Path) -> None:
    """Makes sure, before long work, that `add_file` may write where it will have to.

    Raises CustomerError: the folder that is written to, and why nothing can be.
    """
    if artifact.exists():  # an artifact that is missing is for `artifact_folder` to tell
        folder = artifact if artifact.is_dir() else artifact.parent
        check_target(folder, "work on a copy of the model")


def add_file(artifact: Path, name: str, content: bytes) -> None:
    """Puts a file beside an artifact's parameters, in the place of one that has its name.

    A kill at any moment leaves the folder or archive as it was, or with the whole file in it.
    """
    if artifact.is_dir():
        write_bytes(artifact / name, content)
    else:
        write_atomically(artifact, lambda copy: _pack_again(artifact, copy, name, content))


def _pack_again(archive: Path, copy: Path, name: str, content: bytes) -> None:
    with (
        tarfile.open(archive) as old,
        tarfile.open(copy, "w:gz", compresslevel=_LEVEL) as new,
    ):
        folder = PurePosixPath()
        for member in old:
            path = PurePosixPath(member.name)
            if path.name in (BEST, LAST):
                folder = path.parent
            if path.name != name:
                new.addfile(member, old.extractfile(member) if member.isreg() else None)
        added = tarfile.TarInfo(str(folder / name))
        added.size = len(content)
        new.addfile(added, io.BytesIO(content))
