"""What the environment says about training, read once into one object."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from semseg.networks.backbones import Sources
from semseg.sagemaker.errors import CustomerError

CHECKPOINT_MINUTES_VARIABLE = "SEMSEG_CHECKPOINT_MINUTES"
_CHECKPOINT_MINUTES = 10.0


@dataclass(frozen=True)
class Settings:
    """What is no hyperparameter.

    Attributes:
        backbones: where pretrained backbones may come from.
        checkpoint_seconds: after which an epoch that takes long gets a checkpoint in between.
    """

    backbones: Sources
    checkpoint_seconds: float = 60 * _CHECKPOINT_MINUTES

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Reads `SEMSEG_CHECKPOINT_MINUTES`, and what `Sources` reads.

        Raises:
            CustomerError: the minutes are no number of at least 0.
        """
        text = environ.get(CHECKPOINT_MINUTES_VARIABLE, "").strip()
        try:
            minutes = float(text) if text else _CHECKPOINT_MINUTES
        except ValueError:
            minutes = math.nan
        if not 0 <= minutes < math.inf:
            raise CustomerError(
                f"{CHECKPOINT_MINUTES_VARIABLE} is {text!r}: give a number of at least 0."
            )
        return cls(Sources.from_environment(environ), 60 * minutes)
