"""Batch normalization by the statistics of the whole batch, where several devices share it.

MXNet has a `SyncBatchNorm`, but its operator blocks an engine thread until the other devices have
come to the same layer. Nothing keeps the order of two layers that do not depend on each other (the
branches of a residual block, of PSP, of DeepLab) the same on all devices, so it can wait for ever:
on two CPU devices it does so in the first step. Here only mean and variance of each device's part
travel, as ordinary operations that autograd knows, and the order is that of the Python program.

The price: a network with this cannot be compiled for training (`hybridize`), since a compiled graph
lives on one device.
"""

from typing import Any

from mxnet import autograd, nd
from mxnet.gluon import Block, nn

from semseg.training.devices import Devices
from semseg.training.lockstep import Lockstep


def synchronize(network: Block, devices: Devices, lockstep: Lockstep) -> None:
    """Makes all batch normalizations of a network, when it trains, use the whole batch.

    Afterwards the network has to be run by `lockstep`, one member for each device, and must not be
    hybridized. Without training, and when it is traced (MainPath), it works as before.
    """

    def change(block: Block) -> None:
        if isinstance(block, nn.BatchNorm):
            # Not another class: names and parameter files stay as they are.
            block.hybrid_forward = _SynchronizedNorm(block, devices, lockstep)

    network.apply(change)


class _SynchronizedNorm:
    """Stands in for a layer's `hybrid_forward`."""

    def __init__(self, layer: nn.BatchNorm, devices: Devices, lockstep: Lockstep) -> None:
        self._usual = layer.hybrid_forward
        self._epsilon = layer._kwargs["eps"]
        self._momentum = layer._kwargs["momentum"]
        self._devices = devices
        self._lockstep = lockstep

    def __call__(
        self, F: Any, features: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any
    ) -> Any:
        if not autograd.is_training():
            return self._usual(F, features, gamma, beta, running_mean, running_var)
        if F is not nd:
            raise TypeError("a network with synchronized batch normalization was hybridized")
        mean, variance = self._statistics(features)
        with autograd.pause():
            for running, now in ((running_mean, mean), (running_var, variance)):
                running[:] = self._momentum * running + (1 - self._momentum) * now
        scale = gamma / nd.sqrt(variance + self._epsilon)
        shift = beta - mean * scale
        return nd.broadcast_add(
            nd.broadcast_mul(features, _per_channel(scale)), _per_channel(shift)
        )

    def _statistics(self, features: Any) -> tuple[Any, Any]:
        """Mean and variance (C,) over the features (N,C,H,W) of all devices.

        Each device's own are joined as in Chan, Golub and LeVeque, "Algorithms for computing the
        sample variance": no difference of large numbers is taken.
        """
        member = self._devices.index(features.context)
        own = nd.stack(*nd.moments(features, axes=(0, 2, 3)))
        shown = self._lockstep.exchange(member, (features.shape[0], own))
        images = sum(count for count, _ in shown)
        parts = [(count / images, part.as_in_context(features.context)) for count, part in shown]
        mean = nd.add_n(*[share * part[0] for share, part in parts])
        variance = nd.add_n(
            *[share * (part[1] + nd.square(part[0] - mean)) for share, part in parts]
        )
        return mean, variance


def _per_channel(values: Any) -> Any:
    """(C,) as (1,C,1,1), to go with features (N,C,H,W)."""
    return values.reshape((1, -1, 1, 1))
