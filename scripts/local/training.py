"""Runs `train` on a tree and reads its log as it grows."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_QUALITY = re.compile(
    r"#quality_metric\. host: \S+, epoch: (\d+), (train loss|validation pixel_accuracy|"
    r"validation mIOU): ([0-9.eE+-]+|nan)"
)


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
        self._figures: dict[str, float] = {}

    def read(self, line: str, seconds: float) -> Epoch | None:
        """Takes a line; returns the epoch that it completes."""
        found = _QUALITY.search(line)
        if found is None:
            return None
        number, name, value = found.groups()
        self._figures[name] = float(value)
        if name != "validation mIOU":
            return None
        return Epoch(
            int(number),
            self._figures["train loss"],
            self._figures["validation pixel_accuracy"],
            self._figures["validation mIOU"],
            seconds,
        )


class TrainingFailed(Exception):
    """`train` ended with another exit code than 0; the message is its last words."""


def train(base: Path, log: Path, report: Callable[[Epoch], None]) -> list[Epoch]:
    """Runs the console script `train` with `base` for `/opt/ml`.

    Args:
        base: the tree, see `scripts.local.tree`.
        log: gets all that the job prints.
        report: called after every epoch.

    Raises:
        TrainingFailed: the job did not end well.
    """
    started = time.monotonic()
    reader, epochs = LogReader(), []
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(base)}
    program = [str(Path(sys.executable).parent / "train")]
    with (
        log.open("w") as copy,
        subprocess.Popen(
            program,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as job,
    ):
        assert job.stdout is not None
        for line in job.stdout:
            copy.write(line)
            copy.flush()
            epoch = reader.read(line, time.monotonic() - started)
            if epoch is not None:
                epochs.append(epoch)
                report(epoch)
    if job.returncode != 0:
        raise TrainingFailed(
            f"train ended with exit code {job.returncode}; its log, {log}, ends with:\n{tail(log)}"
        )
    return epochs


def tail(log: Path, lines: int = 15) -> str:
    """A log's last lines."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
