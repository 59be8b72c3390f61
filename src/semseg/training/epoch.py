"""One epoch of training."""

import math
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from mxnet import autograd, nd

from semseg.data.assembly import Batch
from semseg.sagemaker import metrics
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameters import Hyperparameters
from semseg.training.devices import Devices
from semseg.training.hosts.exchange import Exchange
from semseg.training.hosts.team import ALONE, Team
from semseg.training.loss import SegmentationLoss
from semseg.training.optimizers import (
    make_trainer,
    restore_states,
    states_of,
    states_on_devices,
    take_step,
)
from semseg.training.randomness import seed_update
from semseg.training.replicas import Replicas, labelled_pixels, split
from semseg.training.schedules import make_schedule
from semseg.training.speed import Speedometer
from semseg.training.state import OptimizerStates, State


class Learner:
    """A network, its loss and its optimizer.

    Args:
        network: network that gives a tuple of logits, initialized on all devices.
        job: the job's hyperparameters.
        devices: MXNet contexts, which share each batch.
        state: where the run stands; its position moves on with each batch.
        team: the hosts that learn together, each from a batch of its own at a time.
    """

    def __init__(
        self,
        network: Any,
        job: Hyperparameters,
        devices: Devices,
        state: State,
        team: Team = ALONE,
    ) -> None:
        self._state = state
        self._network = network
        self._job = job
        self._devices = devices
        self._loss = SegmentationLoss(job.aux_weight)
        self._loss.hybridize(static_alloc=True)
        self._team = team
        alone = team.size == 1
        self._trainer = make_trainer(network, job, state.position.updates, sums_gradients=alone)
        self._exchange = None if alone else Exchange(team, self._trainer._params, devices)
        self._replicas = Replicas(network, devices, job.syncbn, self._exchange)
        self._learning_rate = make_schedule(job, team.size)

    def train_epoch(self, batches: Iterable[Batch]) -> float:
        """What is left of the epoch under way, with the original's progress notices.

        Whatever the batches raise leaves network, optimizer and position between two steps.

        Returns:
            Images per second.

        Raises:
            CustomerError: the loss, or at the end a parameter, is no longer a finite number.
        """
        position = self._state.position
        speed = Speedometer(time.monotonic)
        for batch in batches:
            loss = self._learn(batch)
            position.learned(loss)
            if not math.isfinite(loss):
                raise self._diverged("the loss of epoch {}, iteration {} is not a finite number")
            speed.count(len(batch.images))
            if position.iterations % self._job.logging_frequency == 0:
                rate = self._learning_rate(position.updates)
                metrics.progress_notice(
                    position.epoch, position.iterations, speed.since_last_notice(), rate
                )
        if position.iterations and not self._parameters_are_finite():
            # The last update's doing, which no loss has shown yet.
            raise self._diverged("after epoch {}, iteration {} not all parameters are finite")
        self.average_statistics()
        return speed.overall()

    def average_statistics(self) -> None:
        """Gives all devices of all hosts the mean of their running statistics of batch
        normalization. For all hosts at the same time.

        Each device has seen its part of every batch only; validation and the saved file need one
        answer. Training does not look at it, so it makes no difference how often this is done.
        """
        if self._exchange is None:
            self._replicas.average_statistics()
        else:
            self._exchange.average_statistics()

    def optimizer_states(self) -> OptimizerStates:
        """What the optimizer remembers, by the parameters' names in model files."""
        names = self._names_in_files()
        states = states_of(self._trainer).items()
        return {names[name]: [array.asnumpy() for array in arrays] for name, arrays in states}

    def restore(self, states: OptimizerStates) -> None:
        """Gives the optimizer what another one remembered."""
        names = self._names_in_files().items()
        restore_states(
            self._trainer, {name: states[in_file] for name, in_file in names if in_file in states}
        )

    def follow_first_host(self) -> None:
        """Gives all hosts the first one's parameters and, in a run that goes on, its optimizer's
        memory. For all hosts at the same time.
        """
        if self._exchange is None:
            return
        self._exchange.broadcast_parameters()
        if self._state.position.updates:
            for key, copies in states_on_devices(self._trainer):
                self._exchange.broadcast(key, copies)

    def part(self) -> None:
        """Nothing more is to be learned together. For all hosts at the same time."""
        if self._exchange is not None:
            self._exchange.close()

    def _names_in_files(self) -> dict[str, str]:
        """Gluon numbers the names of parameters; those in model files are always the same."""
        parameters = self._network._collect_params_with_prefix()
        return {parameter.name: name for name, parameter in parameters.items()}

    def _learn(self, batch: Batch) -> float:
        updates = self._state.position.updates
        parts = split(batch, self._devices)
        [pixels] = self._team.total(labelled_pixels(batch))
        seed_update(self._state.seed, updates, self._team.index)
        logits = self._replicas.logits(parts)
        with autograd.record():
            losses = [
                self._loss(part.masks, nd.array([max(1, pixels)], ctx=device), *of_part)
                for part, of_part, device in zip(parts, logits, self._devices, strict=True)
            ]
        autograd.backward(losses)
        [loss] = self._team.total(sum(float(loss.asscalar()) for loss in losses))
        if self._exchange is not None:
            self._exchange.add_up_gradients()
        batch_size = self._job.mini_batch_size * self._team.size
        take_step(self._trainer, batch_size, self._learning_rate(updates))
        return loss

    def _parameters_are_finite(self) -> bool:
        parameters = self._network.collect_params().values()
        return all(np.isfinite(one.data(self._devices[0]).asnumpy()).all() for one in parameters)

    def _diverged(self, what: str) -> CustomerError:
        position = self._state.position
        rate = self._learning_rate(position.updates - 1)
        return CustomerError(
            f"Training diverged: {what.format(position.epoch, position.iterations)}, at "
            f"learning_rate {rate:g} (ten times that in the heads). Use a lower learning_rate, for "
            "example a tenth. The best model of the epochs before is kept."
        )
