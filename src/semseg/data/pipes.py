"""FIFOs, as SageMaker's Pipe mode makes them: one for each epoch of a channel.

A FIFO may appear late, and whoever writes to it may take a while. Waiting for ever would cost money
by the second, so a silence that lasts too long ends it.
"""

import io
import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LOOK_EVERY = 0.1  # seconds: for whether the FIFO is there, and whether to give up
_KEPT = 1 << 16


class PipeTimeout(Exception):
    """Nothing came for too long; the text is one clause that says what was waited for."""


class PipeClosed(Exception):
    """The reader was told to stop while it waited."""


def open_fifo(path: Path, seconds: float, is_over: Callable[[], bool]) -> io.BufferedReader:
    """The bytes that come through a FIFO, up to its writer's end of file.

    Whoever reads waits at most `seconds` for the next byte, the first one included, and for the
    FIFO itself; then `PipeTimeout` is raised, here or by the reader's methods. `is_over` is asked
    now and then; where it says so, `PipeClosed` is raised.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            # Without O_NONBLOCK this call itself would wait for a writer, and nobody could end it.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            if is_over():
                raise PipeClosed from None
            if time.monotonic() > deadline:
                raise PipeTimeout(f"{path} has not appeared for {seconds:g} seconds") from None
            time.sleep(_LOOK_EVERY)
        else:
            return io.BufferedReader(_Fifo(descriptor, path, seconds, is_over), _KEPT)


class _Fifo(io.RawIOBase):
    """The reading end of a FIFO."""

    def __init__(
        self, descriptor: int, path: Path, seconds: float, is_over: Callable[[], bool]
    ) -> None:
        self._descriptor = descriptor
        self._path = path
        self._seconds = seconds
        self._is_over = is_over
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._bytes = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """As many bytes as have come, at least one; none at the end."""
        while True:
            self._wait()
            try:
                count = os.readv(self._descriptor, [buffer])
            except BlockingIOError:  # whatever woke us is gone again
                continue
            self._bytes += count
            return count

    def close(self) -> None:
        """Whoever still writes gets an error and is not kept waiting."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def _wait(self) -> None:
        """Until there are bytes, or the last writer has gone, which only one that came can do."""
        deadline = time.monotonic() + self._seconds
        while not self._poll.poll(_LOOK_EVERY * 1000):
            if self._is_over():
                raise PipeClosed
            if time.monotonic() > deadline:
                before = f" after the first {self._bytes} bytes" if self._bytes else ""
                raise PipeTimeout(
                    f"nothing has come through {self._path} for {self._seconds:g} seconds{before}"
                )
