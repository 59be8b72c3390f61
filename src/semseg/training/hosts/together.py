"""What becomes of a failure: it ends the job on all hosts, wherever they are.

Between the hosts are TCP connections in the form of a star, with the first host in the middle. A
thread at each end listens, so that a host that fails, dies or falls silent is found out within a
minute. ps-lite, which adds up the gradients, would let the others wait for ever.
"""

import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from semseg.sagemaker.errors import PlatformError, SemsegError
from semseg.sagemaker.failure import classify
from semseg.sagemaker.stopping import Stop, StopRequested
from semseg.training.hosts.connection import Connection, ConnectionLost, Message
from semseg.training.hosts.team import Team

GiveUp = Callable[[Exception], None]


@dataclass(frozen=True)
class Patience:
    """Seconds to wait.

    Attributes:
        joining: for a host to come.
        heartbeat: between two signs of life.
        silence: without one, until a host counts as lost.
        sigterm: until a lost host counts as a failure. SIGTERM comes to all hosts, but not at the
            same moment, and to end by it is none.
        stuck: for the main thread to hear of a failure. It may be waiting inside MXNet for a host
            that is gone.
    """

    joining: float = 90.0
    heartbeat: float = 5.0
    silence: float = 45.0
    sigterm: float = 2.0
    stuck: float = 10.0


class Together(Team):
    """One of several hosts.

    Args:
        hosts: the names of all.
        host: the name of this one.
        stop: whether this host has been asked to end.
        give_up: ends the process with an error, for when the main thread cannot.
        patience: how long to wait for what.
    """

    def __init__(
        self,
        hosts: tuple[str, ...],
        host: str,
        stop: Stop,
        give_up: GiveUp,
        patience: Patience,
    ) -> None:
        self.index, self.size = hosts.index(host), len(hosts)
        self._hosts, self._host = hosts, host
        self._stop = stop
        self._give_up = give_up
        self._patience = patience
        self._connections: dict[str, Connection] = {}
        self._values: dict[str, deque[Any]] = {other: deque() for other in hosts}
        self._leaving: set[str] = set()
        self._failing = False
        self._error: SemsegError | None = None
        self._left = threading.Event()
        self._changed = threading.Condition()  # of what the threads that listen write

    @property
    def is_whole(self) -> bool:
        return not self._failing

    def __enter__(self) -> Self:
        """Meets the others. Raises what `_meet` raises."""
        try:
            self._meet()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tells the others of a failure. Without one, waits until all have come so far."""
        if error is None or isinstance(error, StopRequested | SystemExit):
            self._part()
        elif isinstance(error, Exception) and self._error is None:
            failure = classify(error)
            self._tell(_failed(failure.label, f"{self._host} ended the job: {failure}"))
        self._left.set()
        for connection in self._connections.values():
            connection.hang_up()
        if error is None:
            self._raise_error()

    def fail(self, error: SemsegError) -> None:
        """Ends the job on all hosts; the first one tells the others. For any thread.

        The main thread gets the error as soon as it asks for another host's value. Where it does
        not come to that, the process is ended all the same.
        """
        with self._changed:
            if self._failing or self._left.is_set():
                return
            self._failing = True
        self._tell(
            _failed(error.label, str(error))
        )  # before this host ends, which the others would blame
        with self._changed:
            self._error = error
            self._changed.notify_all()
        threading.Thread(target=self._enforce, args=(error,), daemon=True).start()

    @abstractmethod
    def _part(self) -> None:
        """Waits until all hosts are about to leave."""

    @abstractmethod
    def _meet(self) -> None:
        """Waits until all hosts are there."""

    def _begin_with(self, host: str, connection: Connection) -> None:
        """Listens to another host from now on."""
        self._connections[host] = connection
        for target in (self._listen, self._show_life):
            threading.Thread(
                target=target, args=(host, connection), name=f"semseg-{host}", daemon=True
            ).start()

    def _listen(self, host: str, connection: Connection) -> None:
        try:
            while True:
                self._take(host, connection.receive())
        except ConnectionLost as lost:
            if host in self._leaving or self._left.wait(self._patience.sigterm):
                return
            self.fail(PlatformError(f"The host {host} {lost}; the job cannot go on without it."))
        finally:
            connection.close()

    def _take(self, host: str, message: Message) -> None:
        """Does what a message asks for; a sign of life asks for nothing."""
        with self._changed:
            match message.get("kind"):
                case "value":
                    self._values[host].append(message["value"])
                case "leaving":
                    self._leaving.add(host)
            self._changed.notify_all()
        if message.get("kind") == "failed":
            kinds = {kind.label: kind for kind in SemsegError.__subclasses__()}
            self.fail(kinds[message["label"]](message["message"]))

    def _show_life(self, host: str, connection: Connection) -> None:
        with suppress(ConnectionLost):  # which the thread that listens will notice
            while not self._left.is_set():
                connection.send_if_idle({"kind": "alive"})
                self._left.wait(self._patience.heartbeat)

    def _value_of(self, host: str) -> Any:
        """Waits for the next value of a host. Raises what `_raise_error` raises."""
        with self._changed:
            self._changed.wait_for(lambda: self._values[host] or self._error)
            if not self._values[host]:
                self._raise_error()
            return self._values[host].popleft()

    def _raise_error(self) -> None:
        """Raises what ended the job, if anything; or StopRequested, if that is why hosts vanish."""
        if self._error is not None:
            raise StopRequested if self._stop.requested else self._error

    def _send(self, host: str, message: Message) -> None:
        try:
            self._connections[host].send(message)
        except ConnectionLost:
            # What that host said last may explain it: the thread that listens is to find out.
            with self._changed:
                self._changed.wait_for(lambda: self._error, self._patience.silence)
            self._raise_error()
            raise

    def _tell(self, message: Message) -> None:
        """Sends a message to all that can still be reached."""
        for connection in list(self._connections.values()):
            with suppress(ConnectionLost):
                connection.send(message)

    def _wait_until_leaving(self, hosts: set[str]) -> None:
        """Waits until hosts are about to leave, or have no more time to."""
        with self._changed:
            self._changed.wait_for(
                lambda: hosts <= self._leaving or self._error, self._patience.silence
            )

    def _enforce(self, error: Exception) -> None:
        if not self._left.wait(self._patience.stuck) and not self._stop.requested:
            self._give_up(error)


def _failed(label: str, reason: str) -> Message:
    return {"kind": "failed", "label": label, "message": reason}
