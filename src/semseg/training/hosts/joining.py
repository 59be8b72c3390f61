"""How the hosts of a job meet, in either role: the first host waits, the others come to it."""

import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from semseg import __version__
from semseg.sagemaker.errors import CustomerError, PlatformError
from semseg.sagemaker.resources import Hosts
from semseg.sagemaker.stopping import Stop
from semseg.training.hosts import ports
from semseg.training.hosts.addresses import addresses, own_address
from semseg.training.hosts.connection import Connection, ConnectionLost, Message
from semseg.training.hosts.team import Combine
from semseg.training.hosts.together import GiveUp, Patience, Together

_CONNECT_SECONDS = 3.0
_HELLO_SECONDS = 5.0
_PAUSE = 0.2


class Member(Together):
    """A host that knows where it is.

    Args:
        hosts: of ``resourceconfig.json``.
        configuration: the job's hyperparameters, which have to be the same on all hosts.
        stop: whether this host has been asked to end.
        give_up: ends the process with an error, for when the main thread cannot.
        patience: how long to wait for what.

    Attributes:
        address: this host's.
        first_address: the first host's, once the team is entered.
    """

    def __init__(
        self,
        hosts: Hosts,
        configuration: Mapping[str, str],
        stop: Stop,
        give_up: GiveUp,
        patience: Patience,
    ) -> None:
        super().__init__(hosts.all, hosts.current, stop, give_up, patience)
        self._job = {"program's version": __version__, **configuration}
        self.address = own_address(hosts.current, hosts.network_interface)
        self.first_address = self.address


class FirstHost(Member):
    """The host in the middle."""

    def _meet(self) -> None:
        """Waits for all others.

        Raises:
            PlatformError: one did not come, or was lost again.
            CustomerError: one was given another job.
        """
        deadline = time.monotonic() + self._patience.joining
        with ports.listen(self.address, ports.TEAM) as listener:
            while missing := [host for host in self._hosts[1:] if host not in self._connections]:
                self._tell({"kind": "waiting", "for": missing})
                if time.monotonic() > deadline:
                    self.fail(_not_come(missing, self._patience))
                self._raise_error()
                self._receive_one(listener, missing)
        self._raise_error()
        self._tell({"kind": "welcome"})

    def _receive_one(self, listener: socket.socket, missing: Sequence[str]) -> None:
        """Takes in one of the missing hosts, if one comes within a second."""
        listener.settimeout(1)
        try:
            peer, _ = listener.accept()
        except TimeoutError:
            return
        connection = Connection(peer, _HELLO_SECONDS)
        try:
            hello = connection.receive()
        except ConnectionLost:
            hello = {}
        if hello.get("kind") != "hello" or hello.get("host") not in missing:
            connection.close()  # whoever that is
            return
        host = str(hello["host"])
        connection.may_be_silent_for(self._patience.silence)
        self._begin_with(host, connection)
        ours, theirs = {"hosts": list(self._hosts), **self._job}, dict(hello["job"])
        differing = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
        if differing:
            lines = [f"{name}: {ours.get(name)} and {theirs.get(name)}" for name in differing]
            self.fail(
                CustomerError(
                    f"{self._host} and {host} were given different jobs: {'; '.join(lines)}. "
                    "Give all hosts the same."
                )
            )

    def _exchange(self, value: Any, combine: Combine) -> Any:
        result = combine([value, *(self._value_of(host) for host in self._hosts[1:])])
        for host in self._hosts[1:]:
            self._send(host, {"kind": "value", "value": result})
        return result

    def _part(self) -> None:
        self._wait_until_leaving(set(self._hosts[1:]))
        self._tell({"kind": "leaving"})


class OtherHost(Member):
    """A host that comes to the first one."""

    def _meet(self) -> None:
        """Comes to the first host, and waits with it for the others.

        Raises:
            PlatformError: the first host cannot be reached, or another host did not come.
            CustomerError: this host was given another job than the first.
        """
        deadline = time.monotonic() + self._patience.joining
        self._waiting_for = [self._hosts[0]]
        peer = self._connect(deadline)
        self.first_address = peer.getpeername()[0]
        connection = Connection(peer, self._patience.silence)
        job = {"hosts": list(self._hosts), **self._job}
        with suppress(ConnectionLost):  # which the thread that listens will notice
            connection.send({"kind": "hello", "host": self._host, "job": job})
        self._begin_with(self._hosts[0], connection)
        with self._changed:
            left = max(0.0, deadline - time.monotonic())
            self._changed.wait_for(lambda: not self._waiting_for or self._error, left)
        self._raise_error()
        if self._waiting_for:
            raise _not_come(self._waiting_for, self._patience)

    def _connect(self, deadline: float) -> socket.socket:
        first = self._hosts[0]
        reason = "its name is not known"
        while time.monotonic() < deadline:
            for address in addresses(first):
                try:
                    return socket.create_connection((address, ports.TEAM), _CONNECT_SECONDS)
                except OSError as error:
                    reason = f"{address}, port {ports.TEAM}: {error.strerror or error}"
            time.sleep(_PAUSE)
        raise _not_come([first], self._patience, f" ({reason})")

    def _take(self, host: str, message: Message) -> None:
        with self._changed:
            match message.get("kind"):
                case "waiting":
                    self._waiting_for = message["for"]
                case "welcome":
                    self._waiting_for = []
        super()._take(host, message)

    def _exchange(self, value: Any, combine: Combine) -> Any:
        self._send(self._hosts[0], {"kind": "value", "value": value})
        return self._value_of(self._hosts[0])

    def _part(self) -> None:
        self._tell({"kind": "leaving"})
        self._wait_until_leaving({self._hosts[0]})


def _not_come(hosts: Sequence[str], patience: Patience, reason: str = "") -> PlatformError:
    names = ", ".join(hosts)
    return PlatformError(
        f"Of the job's hosts {names} did not come within {patience.joining:.0f} s{reason}. All are "
        f"needed. They reach each other over TCP, ports {ports.TEAM} to {ports.WORKER}: security "
        "groups and firewalls have to let that pass. SEMSEG_HOST_SECONDS is how long they wait."
    )
