"""What the hosts add up of their networks, by MXNet's distributed key-value store.

Only sums go through it (`dist_sync` without an optimizer on the servers): the optimizer stays in
the workers, all of which take the same step. So no learning rate has to reach a server, which
MXNet's do not hear of after the first step (apache/mxnet#15919).
"""

import os
from collections.abc import Sequence
from itertools import count
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import nd

from semseg.training.devices import Devices
from semseg.training.hosts.all_gather import AllGather
from semseg.training.hosts.team import Team


class Exchange:
    """Adds up parameters' arrays over all devices of all hosts.

    All hosts have to make one at the same time, of the same parameters in the same order, and to
    call the same methods in the same order.

    Args:
        team: the hosts, with ps-lite running.
        parameters: Gluon's, initialized.
        devices: this host's.
    """

    def __init__(self, team: Team, parameters: Sequence[Any], devices: Devices) -> None:
        os.environ.update(team.worker)  # ps-lite has no other way to be told
        on_gpus = devices[0].device_type == "gpu"
        self._store: Any = mx.kv.create("dist_device_sync" if on_gpus else "dist_sync")
        self._team = team
        self._parameters = parameters
        self._devices = devices
        self._keys = count()
        self._new_keys([parameter.shape for parameter in parameters])

    def add_up_gradients(self) -> None:
        """Puts the sum of all devices' gradients into each."""
        for key, parameter in enumerate(self._parameters):
            if parameter.grad_req != "null":
                self._add_up(key, parameter.list_grad())

    def average_statistics(self) -> None:
        """Gives all devices the mean of their running statistics of batch normalization."""
        [devices] = self._team.total(len(self._devices))
        for key, parameter in enumerate(self._parameters):
            if parameter.grad_req == "null":
                copies = parameter.list_data()
                self._add_up(key, copies)
                for copy in copies:
                    copy /= devices

    def broadcast_parameters(self) -> None:
        """Gives all devices the first host's parameters."""
        for key, parameter in enumerate(self._parameters):
            self.broadcast(key, parameter.list_data())

    def close(self) -> None:
        """Ends ps-lite on all hosts, and waits until all of them want that.

        It happens anyway when this is collected as garbage, but then at a moment of each host's own
        choosing, and the first to come would wait for the last.
        """
        nd.waitall()  # a backward pass may still be under way, and show the others its statistics
        self._store = None

    def broadcast(self, key: int, copies: list[Any]) -> None:
        """Puts the first host's array, that of its first device, into all of them.

        Args:
            key: the place among the parameters of one with the arrays' shape.
            copies: one on each device of this host.
        """
        # Not the array itself: oneDNN may have it in a layout of its own, which is not sent.
        first, device = self._team.is_first, copies[0].context
        value = nd.array(copies[0].asnumpy() if first else np.zeros(copies[0].shape), ctx=device)
        self._add_up(key, [value])
        # A server counts requests, not hosts: no second one of a key may come before all firsts.
        value.wait_to_read()
        for copy in copies:
            copy[:] = value.as_in_context(copy.context)

    def all_gathers(self, shapes: Sequence[tuple[int, ...]]) -> list[AllGather]:
        """For each shape what shows all hosts an array of each."""
        of_all_hosts = [(self._team.size, *shape) for shape in shapes for _ in range(2)]
        keys = self._new_keys(of_all_hosts)
        for key, shape in zip(keys, of_all_hosts, strict=True):
            # What MXNet notes of a key it is to note now: later, several threads look it up.
            self._add_up(key, [nd.zeros(shape)])
        nd.waitall()
        return [
            AllGather(self._team, self._add_up, there, back)
            for there, back in zip(keys[::2], keys[1::2], strict=True)
        ]

    def _new_keys(self, shapes: Sequence[tuple[int, ...]]) -> list[int]:
        keys = [next(self._keys) for _ in shapes]
        self._store.init(keys, [nd.zeros(shape) for shape in shapes])
        return keys

    def _add_up(self, key: int, copies: list[Any]) -> None:
        self._store.pushpull(key, copies, priority=-key)  # the first layers are needed first
