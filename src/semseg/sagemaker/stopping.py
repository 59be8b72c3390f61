"""SIGTERM: how SageMaker asks a training job to end, 120 seconds before it kills it; and Ctrl-C.

SIGTERM comes when somebody stops the job and when a spot instance is taken away, SIGINT from
somebody at a terminal. Python runs a signal handler between two steps of its main thread, which may
spend minutes inside MXNet; so a thread of its own hears of the signal. A handler there must be in
any case: the kernel keeps both from a container's first process as long as that has none.
"""

import logging
import os
import select
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Self, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

# What then is not finished is given up: SageMaker sends SIGKILL after 120 seconds.
_PATIENCE = 100.0
_FOREVER = 1e8

# A job that SageMaker stops is done; what somebody interrupts ends as every program does then.
_EXIT_CODES = {signal.SIGTERM: 0, signal.SIGINT: 128 + signal.SIGINT}


class StopRequested(Exception):
    """SIGTERM or SIGINT has come: leave what is under way, and save."""


class Stop:
    """Whether the job has been asked to end, and what then happens.

    At first the process ends at once, with exit code 0, or 130 after SIGINT. Inside `held_off`
    there is something to save: whoever works there looks at `check` every few seconds, saves, and
    comes to an end.
    """

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._exit_code = 0
        self._patience: float | None = None
        self._held_off = False
        self._turn = threading.Lock()

    @classmethod
    def listen(cls, patience: float = _PATIENCE) -> Self:
        """Hears both signals from now on. For the main thread, before anything that takes time.

        A second SIGTERM changes nothing; SIGINT after either ends the process at once. Where SIGINT
        is ignored, as it is for what a shell runs in the background, it stays so.

        Args:
            patience: seconds that the work has to end after SIGTERM. After SIGINT it has as long as
                it takes.
        """
        stop = cls()
        stop._patience = patience
        heard, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        for number in _EXIT_CODES:
            if number == signal.SIGINT and signal.getsignal(number) == signal.SIG_IGN:
                continue
            signal.signal(number, lambda *_: None)
            signal.siginterrupt(number, False)  # no write of MXNet's is to be cut short by it
        watch = threading.Thread(
            target=stop._watch, args=(heard, patience), name="semseg-stop", daemon=True
        )
        watch.start()
        return stop

    @property
    def requested(self) -> bool:
        """Whether the job has been asked to end."""
        return self._requested.is_set()

    def follow(self) -> None:
        """Another host of the job has been asked to end, and so this one ends as well."""
        with self._turn:
            if self.requested:
                return
            self._requested.set()
        if self._patience is not None:
            limit = threading.Timer(self._patience, self._give_up, (self._patience,))
            limit.daemon = True
            limit.start()

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
        """While the block runs, a signal leaves it to the block to end.

        Raises SystemExit, with code 0 or 130, when the block is through and one has come meanwhile.
        """
        with self._turn:
            self._held_off = True
        yield
        with self._turn:
            self._held_off = False
            if self.requested:
                raise SystemExit(self._exit_code)

    def _watch(self, heard: int, patience: float) -> None:
        while (number := os.read(heard, 1)[0]) not in _EXIT_CODES:
            pass
        asked = signal.Signals(number)
        said = f"Stop requested ({asked.name})"
        with self._turn:
            self._exit_code = _EXIT_CODES[asked]
            if not self._held_off:
                logger.info("%s: ending at once, there is nothing to save.", said)
                os._exit(self._exit_code)
            # First said, then done: the step may be finished, and the process ended, in no time.
            logger.info("%s: the step under way is finished, then all is saved.", said)
            self._requested.set()
        if asked == signal.SIGINT:
            logger.info("Interrupt it once more to end at once, with what was saved before.")
            patience = _FOREVER
        if _interrupted(heard, patience):
            os._exit(_EXIT_CODES[signal.SIGINT])
        self._give_up(patience)

    def _give_up(self, patience: float) -> None:
        logger.warning(
            "The step under way took more than %d seconds: ending with what was saved before.",
            patience,
        )
        os._exit(self._exit_code)


def _interrupted(heard: int, seconds: float) -> bool:
    """Waits for SIGINT, and says whether it came within so many seconds."""
    until = time.monotonic() + seconds
    while select.select([heard], [], [], max(0.0, until - time.monotonic()))[0]:
        if os.read(heard, 1)[0] == signal.SIGINT:
            return True
    return False


__all__ = ["Stop", "StopRequested"]
