"""Hosts that meet: each a thread here, with an address of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from semseg.sagemaker.resources import Hosts
from semseg.sagemaker.stopping import Stop
from semseg.training.hosts.joining import FirstHost, Member, OtherHost
from semseg.training.hosts.together import Patience
from tests.training.hosts.loopback import some_hosts

# As in life, but that a test has less of it.
PATIENCE = Patience(joining=20, heartbeat=0.1, silence=20, sigterm=0.1, stuck=0.2)


Work = Callable[[Member], Any]


class StopByHand(Stop):
    """A SIGTERM that no process gets."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = False

    @property
    def requested(self) -> bool:
        return self.asked


class Meeting:
    """Some hosts, of which any may be started."""

    def __init__(self, count: int, patience: Patience = PATIENCE) -> None:
        self.names = some_hosts(count)
        self.given_up: list[str] = []
        self.stops = [StopByHand() for _ in self.names]
        self._patience = patience
        self._pool = ThreadPoolExecutor(count)

    def host(self, index: int, **job: str) -> Member:
        hosts = Hosts(self.names[index], tuple(self.names), "lo")
        kind = OtherHost if index else FirstHost
        name = self.names[index]
        return kind(
            hosts, job, self.stops[index], lambda _: self.given_up.append(name), self._patience
        )

    def start(self, index: int, work: Work, **job: str) -> Future[Any]:
        """Starts a host, which works as soon as all are there."""

        def live() -> Any:
            with self.host(index, **job) as team:
                return work(team)

        return self._pool.submit(live)

    def all(self, work: Work) -> list[Any]:
        """What the work on each host leads to: a value or an error."""
        started = [self.start(index, work) for index in range(len(self.names))]
        return [future.exception(60) or future.result() for future in started]

    def stop_of(self, team: Member) -> StopByHand:
        return self.stops[team.index]
