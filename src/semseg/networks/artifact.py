"""The three files of `/opt/ml/model`, as the original writes them.

`model_best.params` has the best validation mIOU and is what serving loads; `model_algo-1` is the
last epoch's; `hyperparams.json` is the job's final configuration. Both parameter files are Gluon's,
with GluonCV's names. (SageMaker SDK issues 2062 and 200 show names and format.)
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semseg.networks.architecture import Architecture, architecture_of
from semseg.networks.parameter_file import ParameterFileError, read_shapes
from semseg.sagemaker.errors import CustomerError, PlatformError
from semseg.sagemaker.files import write_atomically, write_text
from semseg.sagemaker.json_files import read_json_object

BEST = "model_best.params"
# The name of the original's only host; also where a host is called otherwise.
LAST = "model_algo-1"
CONFIGURATION = "hyperparams.json"


@dataclass(frozen=True)
class Artifact:
    """A trained model that has been looked at and can be loaded.

    Attributes:
        architecture: the network.
        parameters: the Gluon parameter file.
        configuration: the flat content of `hyperparams.json`.
    """

    architecture: Architecture
    parameters: Path
    configuration: Mapping[str, str]


def configuration_text(configuration: Mapping[str, str]) -> str:
    """The content of `hyperparams.json`: strings, as SageMaker sends them."""
    return json.dumps(dict(configuration), indent=2) + "\n"


def write_configuration(folder: Path, configuration: Mapping[str, str]) -> None:
    """Writes `hyperparams.json`."""
    write_text(folder / CONFIGURATION, configuration_text(configuration))


def write_parameters(path: Path, network: Any) -> None:
    """Saves a Gluon network so that a kill at any moment leaves the last good file.

    Raises as `save_parameters` does.
    """
    write_atomically(path, lambda temporary: save_parameters(temporary, network))


def save_parameters(path: Path, network: Any) -> None:
    """Saves a Gluon network and makes sure that the file is whole.

    Raises:
        PlatformError: it is not. MXNet does not notice when the last bytes find no room.
    """
    network.save_parameters(str(path))
    try:
        read_shapes(path)
    except ParameterFileError as error:
        raise PlatformError(
            f"{path} {error}, right after it was written: the disk is full, or it failed"
        ) from error


def read_artifact(folder: Path) -> Artifact:
    """Finds the artifact in `/opt/ml/model` and checks it without MXNet.

    Raises:
        CustomerError: nothing there, files missing or cut short, or another kind of model.
    """
    if not folder.is_dir():
        raise CustomerError(f"There is no model: the folder {folder} does not exist.")
    configuration = _read_configuration(folder)
    parameters = _find_parameters(folder)
    try:
        found = architecture_of(read_shapes(parameters))
    except ParameterFileError as error:
        raise CustomerError(f"{parameters} {error}. Copy the artifact again.") from None
    except OSError as error:
        raise CustomerError(f"{parameters} can't be read: {error.strerror}.") from None
    if found is None:
        raise CustomerError(
            f"{parameters} holds the parameters of another kind of network: not FCN, PSP or "
            "DeepLabV3 on ResNet-50 or ResNet-101 as GluonCV saves them."
        )
    _compare(configuration, found, folder)
    return Artifact(found, parameters, configuration)


def _read_configuration(folder: Path) -> dict[str, str]:
    path = folder / CONFIGURATION
    if not path.exists():
        raise CustomerError(
            f"{path} is missing: copy it from the job, or write a file that holds {{}}. "
            f"{_listing(folder)}"
        )
    return {name: str(value) for name, value in read_json_object(path).items()}


def _find_parameters(folder: Path) -> Path:
    for name in (BEST, LAST):
        if (folder / name).is_file():
            return folder / name
    raise CustomerError(
        f"{folder / BEST} is missing, and so is {LAST}: put there what the job's model.tar.gz "
        f"holds. {_listing(folder)}"
    )


def _listing(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.iterdir())
    shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    return f"The folder holds {shown}." if names else "The folder is empty."


def _compare(configuration: Mapping[str, str], found: Architecture, folder: Path) -> None:
    said = {name: configuration.get(name) for name in ("algorithm", "backbone", "num_classes")}
    differences = [
        f"{name} is {value} in {CONFIGURATION}, {getattr(found, name)} in the parameters"
        for name, value in said.items()
        if value is not None and value.strip() != str(getattr(found, name))
    ]
    if differences:
        raise CustomerError(
            f"The files in {folder} do not belong together: {'; '.join(differences)}. "
            "Take both from the same job."
        )
