"""Training from the first epoch, or from where it was left, to the last."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semseg.data.assembly import Batch
from semseg.data.batches import (
    EpochBatches,
    evaluation_batches,
    loading_threads,
    training_batches,
)
from semseg.data.checks import Dataset
from semseg.data.shard import Shard
from semseg.networks import artifact, backbones
from semseg.networks.base import MainPath
from semseg.networks.seed_model import SeedModel
from semseg.networks.values import load_model
from semseg.networks.zoo import build
from semseg.sagemaker import narration
from semseg.sagemaker.hyperparameters import Hyperparameters
from semseg.sagemaker.stopping import Stop, StopRequested
from semseg.training.devices import Devices
from semseg.training.epoch import Learner
from semseg.training.evaluation import evaluate
from semseg.training.hosts.agreement import between, stopping_together
from semseg.training.hosts.team import Team
from semseg.training.randomness import seed_initial_values
from semseg.training.report import Report
from semseg.training.run import Run
from semseg.training.saving import Onlooker, Saver
from semseg.training.schedules import iterations_per_epoch
from semseg.training.scores import ConfusionMatrix
from semseg.training.state import State


def prepare_network(
    job: Hyperparameters,
    pretrained: Path | None,
    seed_model: SeedModel | None,
    devices: Devices,
    seed: int,
) -> Any:
    """The job's network with initial values, ready to train.

    Args:
        job: the job's hyperparameters.
        pretrained: parameter file of the backbone; None to start it untrained.
        seed_model: the model to start from instead, if any.
        devices: MXNet contexts.
        seed: the run's.
    """
    seed_initial_values(seed)
    network = build(job.algorithm, job.backbone, job.num_classes, aux=job.aux_loss)
    network.start_untrained(*devices)
    if pretrained is not None:
        backbones.load(network, pretrained)
    if seed_model is not None:
        narration.loading_weights(seed_model.place)
        with seed_model.parameters() as path:
            load_model(network, path, f"The seed model {seed_model.place}")
    return network


def fit(
    run: Run, dataset: Dataset, network: Any, devices: Devices, seed_model: SeedModel | None
) -> int:
    """Trains, validates after each epoch, and keeps the best and the last model.

    Writes `model_best.params` whenever the validation mIOU has improved, `model_algo-1` at the
    end, and `hyperparams.json` with the first of them; checkpoints where the job wants them. When
    the job is asked to stop, all of these are written, and it is the end. All this is for the first
    of several hosts to do; for the rest they all go through the same steps.

    Args:
        run: the job under way.
        dataset: what to train on and to validate with.
        network: of `prepare_network`.
        devices: MXNet contexts of the network.
        seed_model: what the network was before, if it was trained before. It is validated at the
            start, and is the best model until an epoch is better; not so in a job that is resumed.

    Returns:
        The number of epochs trained, those before the checkpoint included.
    """
    job, state, resumed, stop, team = run.job, run.state, run.resumed, run.stop, run.team
    parameters, position, progress = job.hyperparameters, state.position, state.progress
    training, validation = make_batches(parameters, dataset, state.seed, stop, team)
    main_path = MainPath(network)
    main_path.hybridize(static_alloc=True)
    learner = Learner(network, parameters, devices, state, team)
    if resumed is not None:
        network.load_parameters(str(job.tree.model / artifact.LAST), ctx=list(devices))
        learner.restore(resumed.optimizer_states())
    saver = Saver(run, network, learner) if team.is_first else Onlooker(learner, team)
    report = Report(job.hosts.current, parameters.epochs, speaks=team.is_first)
    narration.schedule_set_up(iterations_per_epoch(parameters, team.size), parameters.epochs)
    report.ready()

    def validate() -> tuple[ConfusionMatrix, float]:
        with stopping_together(team):
            confusion, speed = evaluate(
                main_path,
                stop.between(validation),
                parameters.num_classes,
                devices,
                position.epoch,
                parameters.logging_frequency,
            )
        confusion.add_up(team.gather(confusion.counts.tolist()))
        [speed] = team.total(speed)
        return confusion, speed

    try:
        learner.follow_first_host()
        if seed_model is not None and team.broadcast(resumed is None):
            narration.validating(seed_model.place)
            confusion, speed = validate()
            progress.record(confusion.miou, parameters)
            with saver.best():
                report.validated(0, confusion.pixel_accuracy, confusion.miou, speed)
                report.serializing(job.tree.model / artifact.BEST)

        while not is_over(state, parameters):
            epoch = position.epoch
            report.epoch_begins()
            if not position.trained:
                left = between(training.epoch(epoch, position.iterations), stop, team)
                [speed] = team.total(learner.train_epoch(saver.between(left)))
                report.trained(epoch, position.mean_loss, speed)
                position.trained = True
                saver.checkpoint_if_due()

            confusion, speed = validate()
            improved = progress.record(confusion.miou, parameters)
            position.start_next_epoch()

            with saver.epoch(improved):
                report.validated(epoch, confusion.pixel_accuracy, confusion.miou, speed)
                if improved:
                    report.best_model(epoch, job.tree.model / artifact.BEST)
                report.epoch_ends(epoch)
    except StopRequested:
        stop.follow()
        narration.stopped(position.epoch, position.iterations)
        if team.is_whole:
            learner.average_statistics()
        saver.stopped()
        if team.is_whole:
            learner.part()
        return position.epoch

    learner.part()
    if position.epoch < parameters.epochs:
        narration.stopped_early(position.epoch - 1, progress.best)
    if team.size == 1:
        narration.workers_not_synchronized()
    saver.last()
    return position.epoch


def is_over(state: State, job: Hyperparameters) -> bool:
    """Whether no epoch is left to train."""
    epochs_done = state.position.epoch
    return epochs_done >= job.epochs or state.progress.should_stop(epochs_done, job)


def make_batches(
    job: Hyperparameters, dataset: Dataset, seed: int, stop: Stop, team: Team
) -> tuple[EpochBatches, Iterable[Batch]]:
    """The batches to train on and those to validate with: of both this host's shard."""
    workers = loading_threads(job)
    shard = Shard(team.index, team.size)
    training = training_batches(dataset.train, job, workers, seed, stop.check, shard)
    validation = evaluation_batches(dataset.validation, job, workers, stop.check, shard)
    return training, validation
