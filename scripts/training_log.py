"""What a training log says of its epochs, on this machine as on AWS.

The regular expressions are those of ``configs/metric-definitions.json``, by which SageMaker finds
the metrics too; they stand nowhere else.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

_DEFINITIONS = Path(__file__).resolve().parent.parent / "configs" / "metric-definitions.json"
# What follows was reached by an earlier job: no epoch of this one.
_SEED_MODEL = "Validating the seed model "
_EPOCH = re.compile(r"epoch: (\d+)")


def metric_definitions() -> list[dict[str, str]]:
    """The metrics as SageMaker wants them: objects with `Name` and `Regex`."""
    definitions: list[dict[str, str]] = json.loads(_DEFINITIONS.read_text())
    return definitions


@dataclass(frozen=True)
class Epoch:
    """What the log says about an epoch; `seconds` since the job was started."""

    number: int
    loss: float
    pixel_accuracy: float
    miou: float
    seconds: float

    def __str__(self) -> str:
        return (
            f"epoch {self.number + 1}: train loss {self.loss:.3f}, validation pixel accuracy "
            f"{self.pixel_accuracy:.3f}, mIOU {self.miou:.3f} ({self.seconds:.0f} s)"
        )


class LogReader:
    """Collects an epoch's figures from the log's lines."""

    def __init__(self) -> None:
        self._patterns = {
            definition["Name"]: re.compile(definition["Regex"])
            for definition in metric_definitions()
        }
        self._figures: dict[str, float] = {}
        self._of_seed_model = False

    def read(self, line: str, seconds: float) -> Epoch | None:
        """Takes a line; returns the epoch that it completes."""
        self._of_seed_model = self._of_seed_model or _SEED_MODEL in line
        for name, pattern in self._patterns.items():
            if found := pattern.search(line):
                self._figures[name] = float(found[1])
                number = _EPOCH.search(found[0])
                if name == "validation:mIOU" and number is not None:
                    if self._of_seed_model:
                        self._of_seed_model = False
                        return None
                    return self._epoch(int(number[1]), seconds)
        return None

    def _epoch(self, number: int, seconds: float) -> Epoch:
        loss, pixel_accuracy, miou = (
            self._figures.get(name, math.nan)
            for name in ("train:loss", "validation:pixel_accuracy", "validation:mIOU")
        )
        return Epoch(number, loss, pixel_accuracy, miou, seconds)
