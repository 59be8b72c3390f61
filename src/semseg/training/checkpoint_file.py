"""One checkpoint: all that a run needs to go on as if it had never stopped, in a ZIP file.

It holds `state.json`, the three files of a model folder (`model_best.params` only where the best is
not the last) and the optimizer's arrays. A single file is whole or not there, in the folder as in
S3; ZIP's own checksums tell one that was cut short or damaged; and unpacked it is a model that
`serve` takes. Nothing here needs MXNet, and nothing is unpickled.
"""

import errno
import json
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Literal
from zipfile import ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from semseg.networks import artifact
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.files import temporary_beside, write_atomically
from semseg.training.state import OptimizerStates, State

_STATE = "state.json"


class DamagedError(Exception):
    """A file is no whole checkpoint; the message is the end of a sentence."""


class Content(BaseModel):
    """`state.json`.

    Attributes:
        format: of the whole file.
        job: names and values that a job must share to go on from here.
        state: where the run stood.
        best: which member is the best model; None before the first validation.
        optimizer: how many arrays the optimizer has for each parameter.
    """

    format: Literal[1] = 1
    job: dict[str, str]
    state: State
    best: str | None
    optimizer: dict[str, int]

    def members(self) -> set[str]:
        """The files that have to be there."""
        arrays = {_array(name, n) for name, count in self.optimizer.items() for n in range(count)}
        models = {artifact.CONFIGURATION, artifact.LAST, self.best or artifact.LAST}
        return arrays | models


class Checkpoint:
    """A sound checkpoint; to make one reads the file from end to end.

    Raises:
        DamagedError: the file is not what was written.
        CustomerError: another version of this program wrote it.
        OSError: the disk's fault.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content = _read(path)

    @property
    def state(self) -> State:
        """Where the run stood."""
        return self._content.state

    def check_belongs_to(self, job: Mapping[str, str]) -> None:
        """Raises CustomerError if what `job` says of itself is not what the checkpoint's job did.

        Names that only one of them knows do not count.
        """
        theirs = self._content.job
        differing = [name for name in job if name in theirs and job[name] != theirs[name]]
        if not differing:
            return
        lines = [f"{name}: {theirs[name]} in the checkpoint, {job[name]} now" for name in differing]
        raise CustomerError(
            f"The checkpoint {self.path} is another job's, which differs in "
            f"{', '.join(differing)}. Set them as they were to go on from it; name another place "
            "for checkpoints, or none, to begin anew.\n" + "\n".join(lines)
        )

    def put_back_models(self, folder: Path) -> None:
        """Writes the files of a model folder as they were."""
        best = self._content.best or artifact.LAST
        members = {artifact.BEST: best, artifact.LAST: artifact.LAST}
        for name, member in {artifact.CONFIGURATION: artifact.CONFIGURATION, **members}.items():
            write_atomically(folder / name, partial(self._extract, member))

    def optimizer_states(self) -> OptimizerStates:
        """What the optimizer remembered."""
        with ZipFile(self.path) as archive:
            return {
                name: [_read_array(archive, _array(name, n)) for n in range(count)]
                for name, count in self._content.optimizer.items()
            }

    def _extract(self, member: str, target: Path) -> None:
        with ZipFile(self.path) as archive, archive.open(member) as source, target.open("wb") as to:
            shutil.copyfileobj(source, to, 1 << 20)


def write(
    path: Path,
    content: Content,
    configuration: Mapping[str, str],
    write_last: Callable[[Path], None],
    best: Path | None,
    states: OptimizerStates,
) -> None:
    """Writes a checkpoint.

    Args:
        path: the file; nothing but this function's own temporary file comes beside it.
        content: of `state.json`.
        configuration: of `hyperparams.json`.
        write_last: writes the parameters to a path (MXNet knows no other target).
        best: the best model where it is not the last.
        states: the optimizer's.
    """
    last = temporary_beside(path.with_name(artifact.LAST))
    try:
        write_last(last)
        with ZipFile(path, "w") as archive:
            archive.writestr(ZipInfo(_STATE), content.model_dump_json(indent=2))
            archive.writestr(
                ZipInfo(artifact.CONFIGURATION), artifact.configuration_text(configuration)
            )
            _add(archive, artifact.LAST, last)
            if best is not None:
                _add(archive, artifact.BEST, best)
            for name, arrays in states.items():
                for number, array in enumerate(arrays):
                    with archive.open(ZipInfo(_array(name, number)), "w") as member:
                        np.save(member, array, allow_pickle=False)
    finally:
        last.unlink(missing_ok=True)


def _read(path: Path) -> Content:
    try:
        with ZipFile(path) as archive:
            damaged = archive.testzip()
            if damaged is not None:
                raise DamagedError(f"is damaged: the checksum of {damaged} in it is wrong")
            text = archive.read(_STATE)
            names = set(archive.namelist())
        version = json.loads(text).get("format")
        content = Content.model_validate_json(text) if version == 1 else None
    except (DamagedError, MemoryError):
        raise
    except Exception as error:  # whatever zipfile stumbles over
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise DamagedError(f"is damaged or cut short ({error})") from error
    if content is None:
        raise CustomerError(
            f"The checkpoint {path} has the format {version!r}, which this version of the program "
            "does not know. Name another place for checkpoints, or none, to begin anew."
        )
    if not content.members() <= names:
        raise DamagedError("is damaged: some of its members are missing")
    return content


def _array(parameter: str, number: int) -> str:
    """The name of one of the optimizer's arrays."""
    return f"optimizer/{parameter}/{number}.npy"


def _add(archive: ZipFile, name: str, file: Path) -> None:
    with file.open("rb") as source, archive.open(ZipInfo(name), "w", force_zip64=True) as member:
        shutil.copyfileobj(source, member, 1 << 20)


def _read_array(archive: ZipFile, name: str) -> npt.NDArray[np.float32]:
    return np.asarray(np.load(BytesIO(archive.read(name)), allow_pickle=False))
