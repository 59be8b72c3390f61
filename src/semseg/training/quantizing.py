"""The end of a job with quantize=True: its best model is calibrated for int8."""

import logging

from semseg.data.batches import evaluation_batches, loading_threads
from semseg.data.checks import Dataset, Pairs
from semseg.data.streams import Stream
from semseg.networks.artifact import read_artifact
from semseg.networks.thresholds import write_thresholds
from semseg.sagemaker import narration
from semseg.sagemaker.errors import AlgorithmError
from semseg.sagemaker.failure import classify
from semseg.sagemaker.job import Job
from semseg.training.int8 import calibrate, spread

logger = logging.getLogger(__name__)


def quantize_best_model(job: Job, dataset: Dataset) -> None:
    """Puts thresholds for int8 beside `model_best.params`, and logs what int8 costs.

    They are found on training images, the same ones each time, and scored on the validation images.

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
        _quantize(job, dataset.train, dataset.validation)
    except Exception as error:
        failure = classify(error)
        traceback = error if isinstance(failure, AlgorithmError) else None
        narration.not_quantized(f"{failure.label}: {failure}")
        logger.debug("int8", exc_info=traceback)


def _quantize(job: Job, train: Pairs, validation: Pairs) -> None:
    parameters, workers = job.hyperparameters, loading_threads(job.hyperparameters)
    sample = spread(train)
    narration.calibrating(len(sample))
    thresholds = calibrate(
        read_artifact(job.tree.model),
        (batch.images for batch in evaluation_batches(sample, parameters, workers, _no_stop)),
        evaluation_batches(validation, parameters, workers, _no_stop),
    )
    path = write_thresholds(job.tree.model, thresholds)
    assert thresholds.report is not None, "there are validation images"
    narration.quantized(path, thresholds.report.float32.miou, thresholds.report.int8.miou)


def _no_stop() -> None:
    """What a stop would lose can be made again: the process ends at once, whoever is at work."""
