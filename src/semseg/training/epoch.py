"""One epoch of training on one device."""

import math
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from mxnet import autograd, nd

from semseg.data.loading import Batch
from semseg.sagemaker import metrics
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameters import Hyperparameters
from semseg.training.loss import SegmentationLoss
from semseg.training.optimizers import make_trainer, take_step
from semseg.training.schedules import make_schedule
from semseg.training.speed import Speedometer


class Learner:
    """A network, its loss, its optimizer and how many updates they have seen.

    Args:
        network: initialized network that gives a tuple of logits.
        job: the job's hyperparameters.
        device: MXNet context of the network.
    """

    def __init__(self, network: Any, job: Hyperparameters, device: Any) -> None:
        self.updates = 0
        self._network = network
        self._job = job
        self._device = device
        self._loss = SegmentationLoss(job.aux_weight)
        self._loss.hybridize(static_alloc=True)
        self._trainer = make_trainer(network, job)
        self._learning_rate = make_schedule(job)

    def train_epoch(self, epoch: int, batches: Iterable[Batch]) -> tuple[float, float]:
        """One pass over the training images, with the original's progress notices.

        Returns:
            Mean loss of the epoch's batches, and images per second.

        Raises:
            CustomerError: the loss, or at the end a parameter, is no longer a finite number.
        """
        losses: list[float] = []
        speed = Speedometer(time.monotonic)
        for iteration, batch in enumerate(batches, start=1):
            rate = self._learning_rate(self.updates)
            losses.append(self._learn(batch, rate))
            if not math.isfinite(losses[-1]):
                what = f"the loss of epoch {epoch}, iteration {iteration} is not a finite number"
                raise _diverged(what, rate)
            speed.count(len(batch.images))
            if iteration % self._job.logging_frequency == 0:
                next_rate = self._learning_rate(self.updates)
                metrics.progress_notice(epoch, iteration, speed.since_last_notice(), next_rate)
        if losses and not self._parameters_are_finite():
            # The last update's doing, which no loss has shown yet.
            what = f"after epoch {epoch}, iteration {iteration} not all parameters are finite"
            raise _diverged(what, rate)
        return sum(losses) / max(1, len(losses)), speed.overall()

    def _learn(self, batch: Batch, learning_rate: float) -> float:
        images = nd.array(batch.images, ctx=self._device)
        masks = nd.array(batch.masks, ctx=self._device, dtype="uint8")
        with autograd.record():
            loss = self._loss(masks, *self._network(images))
        loss.backward()
        take_step(self._trainer, self._job, learning_rate)
        self.updates += 1
        return float(loss.asscalar())

    def _parameters_are_finite(self) -> bool:
        parameters = self._network.collect_params().values()
        return all(np.isfinite(one.data(self._device).asnumpy()).all() for one in parameters)


def _diverged(what: str, learning_rate: float) -> CustomerError:
    return CustomerError(
        f"Training diverged: {what}, at learning_rate {learning_rate:g} (ten times that in the "
        "heads). Use a lower learning_rate, for example a tenth. The best model of the epochs "
        "before is kept."
    )
