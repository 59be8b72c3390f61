"""Messages between two hosts: JSON, each behind its length, over TCP."""

import json
import socket
import struct
import threading
from contextlib import suppress
from typing import Any

_LENGTH = struct.Struct("!I")
_LONGEST = 1 << 26  # bytes; a confusion matrix of 254 classes takes a hundredth

Message = dict[str, Any]


class ConnectionLost(Exception):
    """Nothing more comes from the other host; the message is the end of a sentence."""


class Connection:
    """One connected socket. One thread receives; any may send.

    Args:
        peer: connected.
        silence: seconds without a word after which the other host counts as lost.
    """

    def __init__(self, peer: socket.socket, silence: float) -> None:
        self._peer = peer
        self._sending = threading.Lock()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.may_be_silent_for(silence)

    def may_be_silent_for(self, seconds: float) -> None:
        """Changes how long the other host may be without a word."""
        self._silence = seconds
        self._peer.settimeout(seconds)

    def send(self, message: Message) -> None:
        """Sends a message. Raises ConnectionLost."""
        with self._sending:
            self._send(message)

    def send_if_idle(self, message: Message) -> None:
        """Sends a message, unless another is being sent, which says as much. Raises ConnectionLost.

        So a sign of life never waits for a host that does not read.
        """
        if self._sending.acquire(blocking=False):
            try:
                self._send(message)
            finally:
                self._sending.release()

    def receive(self) -> Message:
        """The next message. Raises ConnectionLost."""
        try:
            (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
            message = json.loads(self._read(length)) if length <= _LONGEST else None
        except TimeoutError as error:
            raise ConnectionLost(f"has not been heard of for {self._silence:g} s") from error
        except OSError as error:
            raise ConnectionLost(f"closed the connection ({error.strerror})") from error
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise ConnectionLost("sent what is no message")
        return message

    def hang_up(self) -> None:
        """Ends it; whoever receives is told, on both ends."""
        with suppress(OSError):  # it may have ended already
            self._peer.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends it for the one thread that receives."""
        self.hang_up()
        self._peer.close()

    def _send(self, message: Message) -> None:
        data = json.dumps(message).encode()
        try:
            self._peer.sendall(_LENGTH.pack(len(data)) + data)
        except OSError as error:
            raise ConnectionLost(f"closed the connection ({error})") from error

    def _read(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            part = self._peer.recv(length - len(data))
            if not part:
                raise ConnectionLost("closed the connection")
            data += part
        return bytes(data)
