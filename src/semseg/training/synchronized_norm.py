"""Batch normalization by the statistics of the whole batch, where devices or hosts share it.

MXNet has a `SyncBatchNorm`, but its operator blocks an engine thread until the other devices have
come to the same layer. Nothing keeps the order of two layers that do not depend on each other (the
branches of a residual block, of PSP, of DeepLab) the same on all devices, so it can wait for ever:
on two CPU devices it does so in the first step. Here only mean and variance of each device's part
travel, as ordinary operations that autograd knows, and the order is that of the Python program.

The price: a network with this cannot be compiled for training (`hybridize`), since a compiled graph
lives on one device.
"""

from collections.abc import Sequence
from typing import Any

from mxnet import autograd, nd
from mxnet.gluon import Block, nn

from semseg.training.devices import Devices
from semseg.training.hosts.all_gather import AllGather
from semseg.training.hosts.exchange import Exchange
from semseg.training.lockstep import Lockstep


def synchronize(
    network: Block, devices: Devices, lockstep: Lockstep, exchange: Exchange | None = None
) -> None:
    """Makes all batch normalizations of a network, when it trains, use the whole batch.

    Afterwards the network has to be run by `lockstep`, one member for each device, and must not be
    hybridized. Without training, and when it is traced (MainPath), it works as before.

    Args:
        network: initialized on all devices.
        devices: this host's.
        lockstep: with a member for each device.
        exchange: with the other hosts, whose batches are as large as this one's; None if alone.
    """
    layers: list[nn.BatchNorm] = []
    network.apply(lambda block: layers.append(block) if isinstance(block, nn.BatchNorm) else None)
    for layer in layers:
        shapes = [(2, *layer.gamma.shape)] * len(devices)
        all_gathers = exchange.all_gathers(shapes) if exchange is not None else None
        # Not another class: names and parameter files stay as they are.
        layer.hybrid_forward = _SynchronizedNorm(layer, devices, lockstep, all_gathers)


class _SynchronizedNorm:
    """Stands in for a layer's `hybrid_forward`."""

    def __init__(
        self,
        layer: nn.BatchNorm,
        devices: Devices,
        lockstep: Lockstep,
        all_gathers: Sequence[AllGather] | None,
    ) -> None:
        self._usual = layer.hybrid_forward
        self._epsilon = layer._kwargs["eps"]
        self._momentum = layer._kwargs["momentum"]
        self._devices = devices
        self._lockstep = lockstep
        self._all_gathers = all_gathers

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
        """Mean and variance (C,) over the features (N,C,H,W) of all devices of all hosts."""
        device = features.context
        member = self._devices.index(device)
        own = nd.stack(*nd.moments(features, axes=(0, 2, 3)))
        shown = self._lockstep.exchange(member, (features.shape[0], own))
        images = [count for count, _ in shown]
        joined = _joined(images, [part.as_in_context(device) for _, part in shown])
        if self._all_gathers is not None:
            hosts = self._all_gathers[member](joined)
            joined = _joined([1] * len(hosts), list(hosts))
        return joined[0], joined[1]


def _joined(images: Sequence[int], parts: Sequence[Any]) -> Any:
    """Mean and variance (2,C) of a whole, of whose parts each has so many images.

    As in Chan, Golub and LeVeque, "Algorithms for computing the sample variance": no difference of
    large numbers is taken.
    """
    weighted = [(count / sum(images), part) for count, part in zip(images, parts, strict=True)]
    mean = nd.add_n(*[share * part[0] for share, part in weighted])
    variance = nd.add_n(
        *[share * (part[1] + nd.square(part[0] - mean)) for share, part in weighted]
    )
    return nd.stack(mean, variance)


def _per_channel(values: Any) -> Any:
    """(C,) as (1,C,1,1), to go with features (N,C,H,W)."""
    return values.reshape((1, -1, 1, 1))
