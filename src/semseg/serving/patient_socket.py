"""A connection that takes an answer at once and gives it to its client when the client can."""

import fcntl
import select
import socket
import struct
import termios
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class PatientSocket(socket.socket):
    """A TCP socket whose `sendall` never waits.

    What the client does not take at once is kept, and `go_on` sends more of it. One thread at a
    time.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unsent: deque[memoryview] = deque()
        self._sent = 0
        self._when_sent: list[Callable[[], None]] = []

    @classmethod
    def taking_over(cls, sock: socket.socket) -> "PatientSocket":
        """The same connection; `sock` is of no use any more."""
        return cls(sock.family, sock.type, sock.proto, fileno=sock.detach())

    @property
    def acknowledged(self) -> int:
        """Bytes of `sendall` that the client's side has confirmed.

        The kernel holds a few megabytes beyond that, and takes more only once a third of them is
        gone: between two such moments a slow client looks like one that has stopped.
        """
        unconfirmed = fcntl.ioctl(self, termios.TIOCOUTQ, bytes(4))  # see SIOCOUTQ in tcp(7)
        return self._sent - int(struct.unpack("i", unconfirmed)[0])

    @property
    def gone(self) -> bool:
        """Whether the client has hung up.

        One that has closed its own direction only looks the same, and is taken for gone, as by
        nginx and Go's server.
        """
        poll = select.poll()
        poll.register(self, select.POLLRDHUP)
        return bool(poll.poll(0))  # POLLHUP and POLLERR are always among the answers

    def sendall(self, data: Any, _flags: int = 0) -> None:
        """Sends or keeps all of `data`, bytes or an array's memory, without a copy.

        Raises:
            OSError: the connection is broken.
        """
        self._unsent.append(memoryview(data).cast("B"))
        if len(self._unsent) == 1:
            self._send()

    def go_on(self) -> bool:
        """Sends as much as the client takes now; whether that was all.

        Raises:
            OSError: the connection is broken.
        """
        self._send()
        if self._unsent:
            return False
        self._done()
        return True

    def when_sent(self, callback: Callable[[], None]) -> None:
        """Calls back once all has been sent, or the connection is closed."""
        self._when_sent.append(callback)

    def cut_off(self) -> None:
        """Ends the connection for its client; whoever has it finds it broken and closes it."""
        with suppress(OSError):  # closed meanwhile
            self.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes the connection; what has not been sent will not be."""
        self._unsent.clear()
        self._done()
        super().close()

    def _send(self) -> None:
        while self._unsent:
            piece = self._unsent[0]
            try:
                sent = self.send(piece, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            self._sent += sent
            if sent < len(piece):
                self._unsent[0] = piece[sent:]
            else:
                self._unsent.popleft()

    def _done(self) -> None:
        callbacks, self._when_sent = self._when_sent, []
        for callback in callbacks:
            callback()
