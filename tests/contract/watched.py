"""A running `train` that is looked at, and signalled when it comes to a certain point."""

import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.contract.training_job import TrainingJob

Moment = Callable[["Watched"], bool]


class Watched:
    """A `train` in a process of its own, whose log is read while it runs.

    Args:
        job: the job.
        command: what to start it with, in front of Python.
        options: `TrainingJob.start`'s.
    """

    def __init__(self, job: TrainingJob, *command: str, **options: str) -> None:
        self.job = job
        self.lines: list[str] = []
        self.process = job.start(command=command, **options)
        self._readers = [
            threading.Thread(target=self._read, args=(stream,))
            for stream in (self.process.stdout, self.process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def wait_until(self, moment: Moment, seconds: float = 300) -> bool:
        """Waits for a moment; whether it came before the process ended."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if moment(self):
                return True
            assert time.monotonic() < deadline, f"nothing happens any more:\n{self.log}"
            time.sleep(0.002)
        return False

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        self.process.kill()

    def end(self, seconds: float = 300) -> int:
        """Waits for the end; the exit code."""
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join()
        return code

    def _read(self, stream) -> None:
        with stream:
            for line in stream:
                self.lines.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()


def said(pattern: str, times: int = 1) -> Moment:
    """When a line of the log matches, for the so-manieth time."""
    regex = re.compile(pattern)

    def moment(train: Watched) -> bool:
        return sum(regex.search(line) is not None for line in list(train.lines)) >= times

    return moment


def there_is(pattern: str) -> Moment:
    """When there is a file that matches, below the job's folder; a file that is half written."""

    def moment(train: Watched) -> bool:
        return any(True for _ in train.job.base.glob(pattern))

    return moment


def after(seconds: float, moment: Moment = lambda _: True) -> Moment:
    """A while after another moment."""
    came: list[float] = []

    def later(train: Watched) -> bool:
        if not came and moment(train):
            came.append(time.monotonic())
        return bool(came) and time.monotonic() - came[0] >= seconds

    return later


def files(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
