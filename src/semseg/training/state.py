"""Where a run stands: all that decides how it goes on, but for arrays and hyperparameters."""

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from semseg.training.early_stopping import Progress

# An optimizer's arrays for each parameter: momentum, averages of squares.
OptimizerStates = dict[str, list[npt.NDArray[np.float32]]]


@dataclass
class Position:
    """A place between two steps of training, from which it can go on.

    Attributes:
        epoch: the epoch under way, counted from 0; so also the number of epochs done.
        iterations: the batches of that epoch that have been learned from.
        loss_sum: the sum of their losses.
        trained: whether that epoch lacks nothing but its validation.
        updates: of the parameters, in all epochs.
    """

    epoch: int = 0
    iterations: int = 0
    loss_sum: float = 0.0
    trained: bool = False
    updates: int = 0

    def learned(self, loss: float) -> None:
        """One batch more, which had this loss."""
        self.iterations += 1
        self.loss_sum += loss
        self.updates += 1

    @property
    def mean_loss(self) -> float:
        """The mean loss of the epoch's batches so far; 0 where there are none."""
        return self.loss_sum / max(1, self.iterations)

    def start_next_epoch(self) -> None:
        """The epoch under way is done."""
        self.epoch += 1
        self.iterations, self.loss_sum, self.trained = 0, 0.0, False


@dataclass
class State:
    """Where a run stands.

    Attributes:
        seed: all chance in the run comes from it.
        position: how far training has come.
        progress: the best mIOU, and how long ago it was.
    """

    seed: int
    position: Position = field(default_factory=Position)
    progress: Progress = field(default_factory=Progress)

    @classmethod
    def at_start(cls, seed: int | None) -> "State":
        """That of a run that begins: with the job's own seed, or where it has none a new one."""
        return cls(int.from_bytes(os.urandom(4)) >> 1 if seed is None else seed)

    def to_json(self) -> Any:
        """All of it, for another host."""
        return _ADAPTER.dump_python(self, mode="json")

    @classmethod
    def from_json(cls, content: Any) -> "State":
        """That of another host."""
        return _ADAPTER.validate_python(content)


_ADAPTER = TypeAdapter(State)
