"""A network on several devices: each takes a part of the batch, and all act as one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from mxnet import autograd, nd

from semseg.data.assembly import Batch
from semseg.training.devices import Devices
from semseg.training.hosts.exchange import Exchange
from semseg.training.lockstep import Lockstep
from semseg.training.loss import IGNORE_LABEL
from semseg.training.synchronized_norm import synchronize


@dataclass(frozen=True)
class Part:
    """What one device gets of a batch: images float32 (n,3,H,W), masks uint8 (n,H,W)."""

    images: Any
    masks: Any


def split(batch: Batch, devices: Devices) -> list[Part]:
    """A part for each device, on it; their sizes differ by at most one image."""
    images = np.array_split(batch.images, len(devices))
    masks = np.array_split(batch.masks, len(devices))
    return [
        Part(nd.array(image_part, ctx=device), nd.array(mask_part, ctx=device, dtype="uint8"))
        for image_part, mask_part, device in zip(images, masks, devices, strict=True)
    ]


def labelled_pixels(batch: Batch) -> int:
    """How many pixels of a batch have a label."""
    return int(np.count_nonzero(batch.masks != IGNORE_LABEL))


class Replicas:
    """The same network on all devices, compiled for training.

    Args:
        network: initialized on all devices.
        devices: MXNet contexts.
        synchronized: whether batch normalization takes the whole batch's statistics instead of
            each device's own. On one device of one host these are the same and nothing changes.
        exchange: with other hosts, if there are any.
    """

    def __init__(
        self,
        network: Any,
        devices: Devices,
        synchronized: bool = False,
        exchange: Exchange | None = None,
    ) -> None:
        self._network = network
        several = len(devices) > 1 or exchange is not None
        self._lockstep = Lockstep(len(devices)) if synchronized and several else None
        self._devices = devices
        if self._lockstep is not None:
            synchronize(network, devices, self._lockstep, exchange)
        network.hybridize(self._lockstep is None, static_alloc=True)

    def logits(self, parts: list[Part]) -> list[tuple[Any, ...]]:
        """Each part's logits, recorded for the gradient."""
        if self._lockstep is None:
            with autograd.record():
                return [self._network(part.images) for part in parts]
        return self._lockstep.run([self._recorded(part) for part in parts])

    def average_statistics(self) -> None:
        """Gives all devices the mean of their running statistics of batch normalization."""
        if len(self._devices) == 1:
            return
        for parameter in self._network.collect_params().values():
            if parameter.grad_req == "null":
                copies = [copy.as_in_context(self._devices[0]) for copy in parameter.list_data()]
                parameter.set_data(nd.add_n(*copies) / len(copies))

    def _recorded(self, part: Part) -> Callable[[], tuple[Any, ...]]:
        def forward() -> tuple[Any, ...]:
            with autograd.record():  # which a thread has for itself
                logits: tuple[Any, ...] = self._network(part.images)
                return logits

        return forward
