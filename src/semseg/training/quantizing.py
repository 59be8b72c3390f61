"""The end of a job with quantize=True: its best model is calibrated for int8."""

import logging

from semseg.data.batches import evaluation_batches, loading_threads
from semseg.data.calibration import evenly_spaced, whole_images
from semseg.data.checks import Dataset, Pairs
from semseg.data.streams import Stream
from semseg.networks.artifact import Artifact, read_artifact
from semseg.networks.thresholds import Report, Thresholds, write_thresholds
from semseg.sagemaker import narration
from semseg.sagemaker.errors import AlgorithmError
from semseg.sagemaker.failure import classify
from semseg.sagemaker.job import Job
from semseg.training.int8 import calibrate, compare

logger = logging.getLogger(__name__)


def quantize_best_model(job: Job, dataset: Dataset) -> None:
    """Puts thresholds for int8 beside `model_best.params`, and logs what int8 costs.

    They are found on whole training images, the same ones each time, and scored on the validation
    images, as the job has scored them after each epoch.

    What goes wrong is logged and not raised: SageMaker uploads the model of a job that completed,
    and `semseg quantize` can do this later.

    Args:
        job: the job, which is through with training; its best model is in the model folder.
        dataset: the job's; streams are over by now, so a job that has some gets no thresholds.
    """
    if isinstance(dataset.train, Stream) or isinstance(dataset.validation, Stream):
        narration.not_quantized("the images were streamed, and are gone")
        return
    try:
        artifact = read_artifact(job.tree.model)
        thresholds = _calibrated(artifact, dataset.train)
        path = write_thresholds(job.tree.model, thresholds)
    except Exception as error:
        narration.not_quantized(_reason(error))
        return
    try:
        report = _compared(job, artifact, thresholds, dataset.validation)
        write_thresholds(job.tree.model, thresholds.with_report(report))
    except Exception as error:
        narration.quantized_unseen(path, _reason(error))
        return
    narration.quantized(path, report.float32.miou, report.int8.miou)


def _calibrated(artifact: Artifact, train: Pairs) -> Thresholds:
    sample = evenly_spaced(train)
    narration.calibrating(len(sample))
    return calibrate(artifact, whole_images(pair.image for pair in sample))


def _compared(job: Job, artifact: Artifact, thresholds: Thresholds, validation: Pairs) -> Report:
    workers = loading_threads(job.hyperparameters)
    labelled = evaluation_batches(validation, job.hyperparameters, workers, _no_stop)
    return compare(artifact, thresholds.ranges, labelled)


def _reason(error: Exception) -> str:
    failure = classify(error)
    logger.debug("int8", exc_info=error if isinstance(failure, AlgorithmError) else None)
    return f"{failure.label}: {failure}"


def _no_stop() -> None:
    """What a stop would lose can be made again: the process ends at once, whoever is at work."""
