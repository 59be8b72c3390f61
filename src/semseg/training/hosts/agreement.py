"""What all hosts have to agree on: when to stop, and that they work on the same."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.stopping import Stop, StopRequested
from semseg.training.hosts.team import Team

T = TypeVar("T")


def between(items: Iterable[T], stop: Stop, team: Team) -> Iterator[T]:
    """The items, as many on each host, as long as none has been asked to stop.

    Then raises StopRequested, on all hosts before the same item.
    """
    for item in items:
        with stopping_together(team):
            stop.check()
        yield item


@contextmanager
def stopping_together(team: Team) -> Iterator[None]:
    """Raises StopRequested at the end of the block if it was raised in any host's block."""
    stopped = False
    try:
        yield
    except StopRequested:
        stopped = True
    if any(team.gather(stopped)):
        raise StopRequested


def check_same(facts: Mapping[str, str], hosts: tuple[str, ...], team: Team) -> None:
    """Raises CustomerError, the same on all hosts, if they have different data."""
    first, *others = team.gather(dict(facts))
    for host, theirs in zip(hosts[1:], others, strict=True):
        differing = [name for name in first if first[name] != theirs.get(name)]
        if differing:
            lines = [f"{name}: {first[name]} and {theirs.get(name)}" for name in differing]
            raise CustomerError(
                f"{hosts[0]} and {host} have different data: {'; '.join(lines)}. Each host needs "
                "the whole dataset (FullyReplicated), of which it takes a part of each batch."
            )
