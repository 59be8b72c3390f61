"""Which part of the data is this host's, where several train together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """One of several equal shards: that of the host with this `index`, of so many hosts.

    Every host knows the whole dataset and goes through the same order of samples. Together they
    take steps of one batch each, so that all have the same number of batches whatever the number of
    images, and the images of a step are those that one host with a batch as large would have taken.
    """

    index: int = 0
    hosts: int = 1

    def of_step(self, step: Sequence[T]) -> Sequence[T]:
        """This host's batch of the samples of a step, whose number the hosts divide."""
        size = len(step) // self.hosts
        return step[self.index * size : (self.index + 1) * size]

    def of_all(self, items: Sequence[T]) -> Sequence[T]:
        """Some of the items; all of them, once each, if all shards are put together."""
        return items[self.index :: self.hosts]


WHOLE = Shard()
