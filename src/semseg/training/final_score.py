"""The test channel: scored once, when all is trained and saved, with the best model."""

import logging
from typing import Any

from semseg.data.batches import evaluation_batches, loading_threads
from semseg.data.checks import Pairs
from semseg.data.streams import Stream
from semseg.networks import artifact
from semseg.networks.base import MainPath
from semseg.sagemaker import metrics, narration
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.failure import classify
from semseg.sagemaker.job import Job
from semseg.training.devices import Devices
from semseg.training.evaluation import evaluate

logger = logging.getLogger(__name__)


def score_test_data(
    job: Job, data: Pairs | Stream, network: Any, devices: Devices, epoch: int
) -> None:
    """Logs pixel accuracy and mIOU of `model_best.params`, by the rules of validation.

    What goes wrong is logged and not raised: SageMaker uploads the model of a job that completed,
    and hours of training are worth more than their score.

    Args:
        job: the job, which is through with training; its best model is in the model folder.
        data: of the channel `test`.
        network: the job's, on `devices`; gets the values of the best model.
        devices: MXNet contexts.
        epoch: the last one trained.
    """
    parameters, best = job.hyperparameters, job.tree.model / artifact.BEST
    narration.loading_weights(best)
    try:
        network.load_parameters(str(best), ctx=list(devices))
        main_path = MainPath(network)
        main_path.hybridize(static_alloc=True)
        confusion, speed = evaluate(
            main_path,
            evaluation_batches(data, parameters, loading_threads(parameters), lambda: None),
            parameters.num_classes,
            devices,
            epoch,
            parameters.logging_frequency,
        )
    except Exception as error:
        failure = classify(error)
        traceback = None if isinstance(failure, CustomerError) else error
        logger.error(
            "The test data could not be scored; the models are whole, and kept. %s: %s",
            failure.label,
            failure,
            exc_info=traceback,
        )
        return
    metrics.test_data(job.hosts.current, epoch, confusion.pixel_accuracy, confusion.miou, speed)
