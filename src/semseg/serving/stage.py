"""Connections that wait in the poller for their clients, so that no thread has to."""

import selectors
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from gunicorn.workers.gthread import TConn

from semseg.serving.pace import Pace
from semseg.serving.patient_socket import PatientSocket

_AT_ONCE = 1 << 18


@dataclass(kw_only=True)
class Wait:
    """What is known of one of them."""

    pace: Pace = field(default_factory=Pace)


W = TypeVar("W", bound=Wait)


class Stage(ABC, Generic[W]):
    """The connections that wait for the same thing.

    Args:
        poller: tells when a client has done something.
        let_go: closes a connection whose client has had its time, or is gone.
    """

    events = selectors.EVENT_READ

    def __init__(self, poller: selectors.BaseSelector, let_go: Callable[[TConn], None]) -> None:
        self._poller = poller
        self._let_go = let_go
        self._waits: dict[TConn, W] = {}

    @abstractmethod
    def go_on(self, conn: TConn) -> None:
        """The client of a connection has done something."""

    def leave(self, conn: TConn) -> W:
        """Takes a connection out of the poller; returns what was known of it."""
        self._poller.unregister(conn.sock)
        return self._waits.pop(conn)

    def hurry(self, deadline: float) -> None:
        """Leaves nobody more time than until `deadline`."""
        self._cap(self._waits.values(), deadline)

    def end_overdue(self, now: float) -> None:
        """Lets those go who have had their time."""
        for conn in [conn for conn, wait in self._waits.items() if wait.pace.deadline <= now]:
            self._end(conn)

    def _wait_for(self, conn: TConn, wait: W) -> None:
        conn.sock.setblocking(False)
        self._waits[conn] = wait
        self._poller.register(conn.sock, self.events, lambda _client: self._happened(conn))

    def _happened(self, conn: TConn) -> None:
        # Events come in batches: one of the same batch may have taken the connection away.
        if conn in self._waits:
            self.go_on(conn)

    def _end(self, conn: TConn) -> None:
        self.leave(conn)
        self._let_go(conn)

    @staticmethod
    def _cap(waits: Iterable[Wait], deadline: float) -> None:
        for wait in waits:
            wait.pace.deadline = min(wait.pace.deadline, deadline)


def heard_from(conn: TConn) -> bytes | None:
    """What a client has said; nothing if it has ended, None if it has not said anything yet."""
    try:
        return conn.sock.recv(_AT_ONCE)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def socket_of(conn: TConn) -> PatientSocket:
    """The client's socket, which is patient as soon as the connection is at any stage."""
    return cast(PatientSocket, conn.sock)
