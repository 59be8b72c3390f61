"""The checkpoints of a run: the newest to go on from, the next to write, the last three kept."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from semseg.sagemaker.files import check_writable, replacement
from semseg.sagemaker.job import Job
from semseg.training.checkpoint_file import Checkpoint, DamagedError

logger = logging.getLogger(__name__)

KEPT = 3
_NAME = re.compile(r"checkpoint-(\d{6,})\.zip")
# What changes nothing in the model may change between a run and its continuation.
_OF_NO_EFFECT = {
    "workers",
    "logging_frequency",
    "hybrid",
    "kvstore",
    "num_kv_servers",
    "tuning_objective_metric",
    "quantize",
}


class Checkpoints:
    """A folder of files `checkpoint-000007.zip`, or nothing at all where the job wants none.

    Args:
        folder: where they lie; created with the first of them. None for none.
        job: what a job must share with another to go on from its checkpoints: names and values.
        seconds: after which a long epoch's next is due.
    """

    def __init__(self, folder: Path | None, job: Mapping[str, str], seconds: float) -> None:
        self.job = dict(job)
        self.wanted = folder is not None
        self._folder = folder or Path()
        self._seconds = seconds
        self._next = 1
        self._saved = time.monotonic()
        self._resumed: Checkpoint | None = None

    @classmethod
    def of(cls, job: Job | None, seconds: float) -> "Checkpoints":
        """Those of a job; none where this host is not the one to write them, and `job` is None."""
        if job is None or job.checkpoints is None:
            return cls(None, {}, seconds)
        return cls(job.checkpoints.path, belonging(job), seconds)

    def newest(self) -> Checkpoint | None:
        """The newest sound one, with a warning for each damaged one. The next is numbered after it.

        Raises:
            CustomerError: another job's, or written by another version of this program.
            PlatformError: no checkpoint could be written.
        """
        if self.wanted:
            check_writable(self._folder)
        found = sorted(self._numbered().items(), reverse=True)
        for number, path in found:
            try:
                self._resumed = Checkpoint(path)
            except DamagedError as error:
                logger.warning("The checkpoint %s %s: it is passed over.", path, error)
                continue
            self._resumed.check_belongs_to(self.job)
            self._next = number + 1
            return self._resumed
        if found:
            logger.warning("No checkpoint in %s is sound: training begins anew.", self._folder)
        return None

    def add_facts(self, facts: Mapping[str, str]) -> None:
        """What is known of the job a little later: it has to fit, too.

        Raises CustomerError: it does not fit the checkpoint that the run goes on from.
        """
        self.job |= facts
        if self._resumed:
            self._resumed.check_belongs_to(self.job)

    def due(self) -> bool:
        """Whether the last one was written long ago."""
        return self.wanted and time.monotonic() - self._saved >= self._seconds

    @contextmanager
    def saving(self, write: Callable[[Path], None]) -> Iterator[None]:
        """Keeps what `write` puts into a path as the newest one, from the end of the block on."""
        if not self.wanted:
            yield
            return
        with replacement(self._folder / f"checkpoint-{self._next:06}.zip", write):
            yield
        self._next += 1
        self._saved = time.monotonic()
        for number, path in self._numbered().items():
            if number < self._next - KEPT:
                path.unlink(missing_ok=True)

    def _numbered(self) -> dict[int, Path]:
        if not self.wanted or not self._folder.is_dir():
            return {}
        named = ((_NAME.fullmatch(path.name), path) for path in self._folder.iterdir())
        return {int(match[1]): path for match, path in named if match}


def belonging(job: Job) -> dict[str, str]:
    """What another job must have in common with this one to go on from its checkpoints."""
    parameters = job.hyperparameters.model_dump(by_alias=True, exclude=_OF_NO_EFFECT)
    values = {name: str(value) for name, value in parameters.items()}
    return {**values, "number of hosts": str(len(job.hosts.all))}
