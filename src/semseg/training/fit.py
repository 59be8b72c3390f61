"""Training from the first epoch to the last, with the files and log lines on the way."""

import time
from pathlib import Path
from typing import Any

from semseg.data.checks import Dataset
from semseg.data.loading import EvaluationBatches, TrainingBatches
from semseg.networks import artifact, backbones
from semseg.networks.base import MainPath
from semseg.networks.zoo import build
from semseg.runtime import available_cpus
from semseg.sagemaker import metrics, narration
from semseg.sagemaker.hyperparameters import Hyperparameters
from semseg.sagemaker.job import Job
from semseg.training.devices import seed_generators
from semseg.training.early_stopping import Progress
from semseg.training.epoch import Learner
from semseg.training.evaluation import evaluate
from semseg.training.schedules import iterations_per_epoch


def prepare_network(job: Hyperparameters, pretrained: Path | None, device: Any) -> Any:
    """The job's network with initial values, ready to train.

    Args:
        job: the job's hyperparameters.
        pretrained: parameter file of the backbone; None to start it untrained.
        device: MXNet context.
    """
    seed_generators(job.seed)
    network = build(job.algorithm, job.backbone, job.num_classes, aux=job.aux_loss)
    network.start_untrained(device)
    if pretrained is not None:
        backbones.load(network, pretrained)
    network.hybridize(static_alloc=True)
    return network


def fit(job: Job, dataset: Dataset, network: Any, device: Any) -> int:
    """Trains, validates after each epoch, and keeps the best and the last model.

    Writes `model_best.params` whenever the validation mIOU has improved, `model_algo-1` at the
    end, and `hyperparams.json` before either.

    Returns:
        The number of epochs trained.
    """
    parameters, host = job.hyperparameters, job.hosts.current
    training, validation = make_batches(parameters, dataset)
    learner = Learner(network, parameters, device)
    main_path = MainPath(network)
    main_path.hybridize(static_alloc=True)
    progress = Progress(parameters)
    narration.schedule_set_up(
        iterations_per_epoch(parameters.num_training_samples, parameters.mini_batch_size),
        parameters.epochs,
    )
    artifact.write_configuration(job.tree.model, job.configuration.final)
    started = time.time()
    metrics.init_data_iterator(host, started, time.time())

    for epoch in range(parameters.epochs):
        started = time.time()
        loss, speed = learner.train_epoch(epoch, training.epoch(epoch))
        metrics.train_epoch(host, epoch, loss, speed)

        confusion, speed = evaluate(
            main_path,
            validation,
            parameters.num_classes,
            device,
            epoch,
            parameters.logging_frequency,
        )
        metrics.validation_epoch(host, epoch, confusion.pixel_accuracy, confusion.miou, speed)

        if progress.record(confusion.miou):
            save(job.tree.model / artifact.BEST, network, first=epoch == 0)
        metrics.progress(host, epoch, parameters.epochs)
        metrics.epoch_data_iterator(host, epoch, started, time.time())
        if progress.should_stop(epoch + 1):
            narration.stopped_early(epoch, progress.best)
            break

    narration.workers_not_synchronized()
    save(job.tree.model / artifact.LAST, network)
    return epoch + 1


def make_batches(
    job: Hyperparameters, dataset: Dataset
) -> tuple[TrainingBatches, EvaluationBatches]:
    """The batches to train on and those to validate with."""
    # The original's 16 workers are processes; more threads than CPUs only get in the way.
    workers = min(job.workers, available_cpus())
    training = TrainingBatches(
        dataset.train, job.mini_batch_size, job.base_size, job.crop_size, workers, job.seed
    )
    validation = EvaluationBatches(
        dataset.validation, job.validation_mini_batch_size, job.crop_size, workers
    )
    return training, validation


def save(path: Path, network: Any, first: bool = False) -> None:
    """Saves the network with the original's line, which it prints twice for the first epoch."""
    for _ in range(2 if first else 1):
        narration.serializing(path)
    artifact.write_parameters(path, network)
