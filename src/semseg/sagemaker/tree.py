"""The folder tree that SageMaker mounts into the container, ``/opt/ml`` unless moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

BASE_DIRECTORY_VARIABLE = "SAGEMAKER_BASE_DIR"
DEFAULT_BASE_DIRECTORY = "/opt/ml"


@dataclass(frozen=True)
class Tree:
    """Where everything of a job lies. Building one touches no file."""

    base: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """The tree under ``SAGEMAKER_BASE_DIR``, as in AWS's toolkits, or under ``/opt/ml``."""
        return cls(Path(environ.get(BASE_DIRECTORY_VARIABLE) or DEFAULT_BASE_DIRECTORY))

    def config(self, name: str) -> Path:
        """The configuration file `name`."""
        return self.base / "input" / "config" / name

    @property
    def hyperparameters(self) -> Path:
        """What to train, and how: strings by name."""
        return self.config("hyperparameters.json")

    @property
    def inputdataconfig(self) -> Path:
        """The channels of the job."""
        return self.config("inputdataconfig.json")

    @property
    def resourceconfig(self) -> Path:
        """The hosts of the job."""
        return self.config("resourceconfig.json")

    @property
    def checkpointconfig(self) -> Path:
        """Where checkpoints go; the file exists only where the job asked for them."""
        return self.config("checkpointconfig.json")

    def channel(self, name: str) -> Path:
        """The folder that holds the files of channel `name`."""
        return self.base / "input" / "data" / name

    @property
    def model(self) -> Path:
        """What lies here at the end becomes ``model.tar.gz``."""
        return self.base / "model"

    @property
    def checkpoints(self) -> Path:
        """Where SageMaker mounts checkpoints when the job names no other place."""
        return self.base / "checkpoints"

    @property
    def output(self) -> Path:
        """Holds the failure file and ``data``."""
        return self.base / "output"

    @property
    def failure(self) -> Path:
        """The first 1024 characters of this file become the job's ``FailureReason``."""
        return self.output / "failure"
