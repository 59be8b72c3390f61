"""SIGTERM: how SageMaker asks a training job to end, 120 seconds before it kills it.

It comes when somebody stops the job and when a spot instance is taken away. Python runs a signal
handler between two steps of its main thread, which may spend minutes inside MXNet; so a thread of
its own hears of the signal. A handler there must be in any case: the kernel keeps SIGTERM from a
container's first process as long as that has none.
"""

import logging
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Self, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

# What then is not finished is given up: SageMaker sends SIGKILL after 120 seconds.
_PATIENCE = 100.0


class StopRequested(Exception):
    """SIGTERM has come: leave what is under way, and save."""


class Stop:
    """Whether the job has been asked to end, and what then happens.

    At first the process ends at once, with exit code 0. Inside `held_off` there is something to
    save: whoever works there looks at `check` every few seconds, saves, and comes to an end.
    """

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._held_off = False
        self._turn = threading.Lock()

    @classmethod
    def listen(cls, patience: float = _PATIENCE) -> Self:
        """Hears SIGTERM from now on. For the main thread, before anything that takes time.

        A second SIGTERM changes nothing.

        Args:
            patience: seconds that the work has to end after the signal.
        """
        stop = cls()
        heard, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.siginterrupt(signal.SIGTERM, False)  # no write of MXNet's is to be cut short by it
        watch = threading.Thread(
            target=stop._watch, args=(heard, patience), name="semseg-stop", daemon=True
        )
        watch.start()
        return stop

    @property
    def requested(self) -> bool:
        """Whether the job has been asked to end."""
        return self._requested.is_set()

    def check(self) -> None:
        """Raises StopRequested if the job has been asked to end."""
        if self.requested:
            raise StopRequested

    def between(self, items: Iterable[T]) -> Iterator[T]:
        """The items, as long as the job has not been asked to end; then raises StopRequested."""
        for item in items:
            self.check()
            yield item

    @contextmanager
    def held_off(self) -> Iterator[None]:
        """While the block runs, SIGTERM leaves it to the block to end.

        Raises SystemExit with code 0 when the block is through and SIGTERM has come meanwhile.
        """
        with self._turn:
            self._held_off = True
        yield
        with self._turn:
            self._held_off = False
            if self.requested:
                raise SystemExit(0)

    def _watch(self, heard: int, patience: float) -> None:
        while signal.SIGTERM not in os.read(heard, 1):
            pass
        with self._turn:
            self._requested.set()
            if not self._held_off:
                logger.info("Stop requested (SIGTERM): ending at once, there is nothing to save.")
                os._exit(0)
        logger.info("Stop requested (SIGTERM): the step under way is finished, then all is saved.")
        threading.Event().wait(patience)
        logger.warning(
            "The step under way took more than %d seconds: ending with what was saved before.",
            patience,
        )
        os._exit(0)


__all__ = ["Stop", "StopRequested"]
