"""All-gather over hosts that autograd can differentiate: each host's array, given to all.

This is for batch normalization, in the middle of a network. MXNet's key-value store only queues an
operation and returns, and goes by keys: so the order in which a backward pass comes to its layers,
which no two hosts need have in common, does not matter.
"""

from collections.abc import Callable
from typing import Any

from mxnet import autograd, nd

from semseg.training.hosts.team import Team

AddUp = Callable[[int, list[Any]], None]


class AllGather:
    """Shows all hosts one array of each.

    Args:
        team: the hosts, all of which have to call this equally often.
        add_up: puts the sum over all hosts into arrays, by a key.
        there: the key for the arrays.
        back: the key for their gradients.
    """

    def __init__(self, team: Team, add_up: AddUp, there: int, back: int) -> None:
        self.team = team
        self.add_up = add_up
        self.there, self.back = there, back

    def __call__(self, own: Any) -> Any:
        """All hosts' arrays, one after the other along a new first axis."""
        return _Shown(self)(own)


class _Shown(autograd.Function):
    """The sum of arrays that are nothing but for one host's place."""

    def __init__(self, all_gather: AllGather) -> None:
        super().__init__()
        self._all_gather = all_gather
        self._index, self._hosts = all_gather.team.index, all_gather.team.size

    def forward(self, own: Any) -> Any:
        shown = nd.zeros((self._hosts, *own.shape), ctx=own.context)
        shown[self._index] = own
        self._all_gather.add_up(self._all_gather.there, [shown])
        return shown

    def backward(self, gradient: Any) -> Any:
        """Each host's array has a part in the loss of all."""
        total = gradient.copy()
        self._all_gather.add_up(self._all_gather.back, [total])
        return total[self._index]
