"""SageMaker's side of Pipe mode: a thread that makes a FIFO for each epoch and writes into it."""

import io
import os
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

Content = bytes | Iterable[bytes]


class Pipe:
    """Makes `<channel>_0` and writes the first content into it; then `<channel>_1`, and so on.

    As in SageMaker, a FIFO is made when the one before it was read to its end or closed. It ends
    where the channel's folder is no more: the test is over, and pytest has taken its folder.
    """

    def __init__(self, channel: Path, contents: Sequence[Content], delay: float = 0) -> None:
        self.contents = contents
        self._channel = channel
        self._delay = delay
        self.closed_early = 0
        self.written = 0
        channel.parent.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def fifo(self, epoch: int) -> Path:
        return self._channel.with_name(f"{self._channel.name}_{epoch}")

    def is_done(self, seconds: float = 20) -> bool:
        """Whether all is written."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        with suppress(FileNotFoundError):
            for epoch, content in enumerate(self.contents):
                time.sleep(self._delay)
                os.mkfifo(self.fifo(epoch))
                self._serve(self.fifo(epoch), content)

    def _serve(self, path: Path, content: Content) -> None:
        parts = [content] if isinstance(content, bytes) else content
        # Not open("wb"), which makes a file where there is no FIFO any more.
        with open(os.open(path, os.O_WRONLY), "wb", buffering=0) as fifo:
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
