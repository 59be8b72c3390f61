"""The hosts of a job as one team: what each may ask of all.

All hosts call the same methods in the same order, and each gets the same answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")
Combine = Callable[[list[Any]], Any]


class Team(ABC):
    """The hosts of a job, seen from one of them; a context, which lasts as long as the job.

    Attributes:
        index: this host's place among them; 0 is the first host, which decides and writes.
        size: how many they are.
        worker: what ps-lite reads of this host's worker; nothing where there is one host only.
    """

    index: int
    size: int
    worker: Mapping[str, str] = MappingProxyType({})

    @property
    def is_first(self) -> bool:
        """Whether this is the first host."""
        return self.index == 0

    @property
    def is_whole(self) -> bool:
        """Whether no host is known to be lost."""
        return True

    def total(self, *numbers: float) -> list[float]:
        """The sum over all hosts of each number, to the last bit the same on all."""
        return [sum(column) for column in zip(*self.gather(list(numbers)), strict=True)]

    def broadcast(self, value: T) -> T:
        """The first host's value. It has to be JSON, as whatever hosts send each other."""
        shared: T = self._exchange(value, lambda values: values[0])
        return shared

    def gather(self, value: T) -> list[T]:
        """All hosts' values, in the hosts' order."""
        gathered: list[T] = self._exchange(value, list)
        return gathered

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    @abstractmethod
    def _exchange(self, value: Any, combine: Combine) -> Any:
        """What `combine` makes of all hosts' values."""


class Alone(Team):
    """The only host of a job."""

    index, size = 0, 1

    def _exchange(self, value: Any, combine: Combine) -> Any:
        return combine([value])


ALONE = Alone()
