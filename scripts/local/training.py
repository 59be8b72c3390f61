"""Runs `train` on a tree and reads its log as it grows."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scripts.training_log import Epoch, LogReader


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
