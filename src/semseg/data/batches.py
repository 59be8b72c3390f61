"""Batches of a part of the dataset, whether it comes as files or as a stream."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol

from semseg.container import available_cpus
from semseg.data.assembly import Batch
from semseg.data.checks import Pairs, warn_of_other_count
from semseg.data.loading import EvaluationBatches, TrainingBatches
from semseg.data.shard import WHOLE, Shard
from semseg.data.streaming import StreamedEvaluation, StreamedTraining
from semseg.data.streams import Stream
from semseg.sagemaker.hyperparameters import Hyperparameters


class EpochBatches(Protocol):
    """What is trained on, epoch by epoch."""

    def epoch(self, number: int, done: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, which are counted from 0, but for the first `done`."""


def training_batches(
    data: Pairs | Stream,
    job: Hyperparameters,
    workers: int,
    seed: int,
    check: Callable[[], None],
    shard: Shard = WHOLE,
) -> EpochBatches:
    """Batches to train on, of which this host's `shard`: streams are for one host only.

    `workers` threads make them; all chance comes from `seed`. `check` is called now and then by
    whoever waits for a stream, and may raise.
    """
    sizes = (job.mini_batch_size, job.base_size, job.crop_size)
    if isinstance(data, Stream):
        counted = partial(warn_of_other_count, job.num_training_samples)
        return StreamedTraining(data, *sizes, workers, seed, counted, check)
    return TrainingBatches(data, *sizes, workers, seed, shard, job.num_classes)


def loading_threads(job: Hyperparameters) -> int:
    """How many threads are to load images.

    The original's 16 workers are processes; more threads than CPUs only get in the way.
    """
    return min(job.workers, available_cpus())


def evaluation_batches(
    data: Pairs | Stream,
    job: Hyperparameters,
    workers: int,
    check: Callable[[], None],
    shard: Shard = WHOLE,
) -> Iterable[Batch]:
    """Batches to score, all that there is each time they are gone through; see above."""
    sizes = (job.validation_mini_batch_size, job.crop_size)
    if isinstance(data, Stream):
        return StreamedEvaluation(data, *sizes, workers, check)
    return EvaluationBatches(data, *sizes, workers, shard, job.num_classes)
