"""What the environment says about training, read once into one object."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from semseg.data.streams import PIPE_SECONDS
from semseg.networks.backbones import Sources
from semseg.sagemaker.errors import CustomerError
from semseg.training.hosts.together import Patience

CHECKPOINT_MINUTES_VARIABLE = "SEMSEG_CHECKPOINT_MINUTES"
PIPE_SECONDS_VARIABLE = "SEMSEG_PIPE_SECONDS"
HOST_SECONDS_VARIABLE = "SEMSEG_HOST_SECONDS"
_CHECKPOINT_MINUTES = 10.0


@dataclass(frozen=True)
class Settings:
    """What is no hyperparameter.

    Attributes:
        backbones: where pretrained backbones may come from.
        checkpoint_seconds: after which an epoch that takes long gets a checkpoint in between.
        pipe_seconds: how long to wait for what comes through a pipe.
        patience: with other hosts.
    """

    backbones: Sources
    checkpoint_seconds: float = 60 * _CHECKPOINT_MINUTES
    pipe_seconds: float = PIPE_SECONDS
    patience: Patience = field(default_factory=Patience)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Reads `SEMSEG_CHECKPOINT_MINUTES`, `SEMSEG_PIPE_SECONDS`, `SEMSEG_HOST_SECONDS`, and what
        `Sources` reads.

        Raises:
            CustomerError: one of the first three is no number of at least 0.
        """
        minutes = _number(environ, CHECKPOINT_MINUTES_VARIABLE, _CHECKPOINT_MINUTES)
        seconds = _number(environ, PIPE_SECONDS_VARIABLE, PIPE_SECONDS)
        patience = Patience(_number(environ, HOST_SECONDS_VARIABLE, Patience.joining))
        return cls(Sources.from_environment(environ), 60 * minutes, seconds, patience)


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, "").strip()
    try:
        number = float(text) if text else default
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise CustomerError(f"{name} is {text!r}: give a number of at least 0.")
    return number
