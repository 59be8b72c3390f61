"""SageMaker's side of Pipe mode: a thread that makes a FIFO for each epoch and writes into it."""

import io
import os
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

Content = bytes | Iterable[bytes]


class Pipe:
    """Makes `<channel>_0` and writes the first content into it; then `<channel>_1`, and so on.

    As in SageMaker, a FIFO is made when the one before it was read to its end or closed.
    """

    def __init__(self, channel: Path, contents: Sequence[Content], delay: float = 0) -> None:
        self.contents = contents
        self._channel = channel
        self._delay = delay
        self.closed_early = 0
        self.written = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def fifo(self, epoch: int) -> Path:
        return self._channel.with_name(f"{self._channel.name}_{epoch}")

    def is_done(self, seconds: float = 20) -> bool:
        """Whether all is written."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        self._channel.parent.mkdir(parents=True, exist_ok=True)
        for epoch, content in enumerate(self.contents):
            time.sleep(self._delay)
            os.mkfifo(self.fifo(epoch))
            parts = [content] if isinstance(content, bytes) else content
            with self.fifo(epoch).open("wb", buffering=0) as fifo:
                try:
                    for part in parts:
                        self._write(fifo, memoryview(part))
                except BrokenPipeError:
                    self.closed_early += 1

    def _write(self, fifo: io.FileIO, part: memoryview) -> None:
        while part:
            count = fifo.write(part)
            self.written += count
            part = part[count:]
