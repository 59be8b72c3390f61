"""The fixed lines of a training log, word for word those of the original container (January 2025).

Tools read them, and people compare runs by them; so their wording lives here and nowhere else. No
early stop, no checkpoint and no interrupted job is on record, so the lines about those have wording
of their own.
"""

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semseg.sagemaker.job import Job

logger = logging.getLogger(__name__)

# In the order in which the original registers them.
CONTENT_TYPES = (
    "application/json",
    "application/x-image",
    "application/x-recordio",
    "image/jpeg",
    "image/png",
)


def entrypoint_called(*arguments: str) -> None:
    """The first lines of the container, which have no prefix."""
    _plain(f"Docker entrypoint called with argument(s): {' '.join(arguments)}")
    _plain("Running default environment configuration script")
    _plain("Running custom environment configuration script")


def job_read(job: Job) -> None:
    """Hyperparameters and channels are in order: who works, and with what."""
    worker_started()
    if job.checkpoints is None:
        logger.info("Checkpoint loading and saving are disabled.")
    else:
        logger.info("Checkpoints are loaded from %s and saved to it.", job.checkpoints.path)


def worker_started() -> None:
    """This process is the worker, and knows these content types."""
    _plain(f"Process {os.getpid()} is a worker.")
    logger.info("Using default worker.")
    for content_type in CONTENT_TYPES:
        logger.info(
            "Loaded iterator creator %s for content type (%r, '1.0')", content_type, content_type
        )


def default_label_map(part: str) -> None:
    """`part`, train or validation, has no label map: a pixel's value is its label."""
    logger.warning("label maps not provided, using defaults.")
    logger.info("#label_map %s :%s", part, {"scale": 1})


def label_map(part: str, given: Mapping[str, Any] | None) -> None:
    """What the pixel values of `part` mean: its label map as the job brings it, or none."""
    if given is None:
        default_label_map(part)
    else:
        logger.info("#label_map %s :%s", part, dict(given))


def gpus_found(count: int, used: int, seconds: float) -> None:
    """The search for GPUs took so long and found `count`, of which `used` train."""
    logger.info("nvidia-smi: took %.3f seconds to run.", seconds)
    logger.info("nvidia-smi identified %d GPUs.", count)
    for _ in range(3):
        logger.info("Number of GPUs being used: %d", used)


def schedule_set_up(iterations_per_epoch: int, epochs: int) -> None:
    """The learning rate schedule counts in these units."""
    logger.info(
        "LRScheduler setup: iters per epoch: %d, num_epochs %d", iterations_per_epoch, epochs
    )


def resumed(checkpoint: Path, epochs: int, iterations: int) -> None:
    """The job goes on from a checkpoint: after so many epochs, and iterations of the next."""
    logger.info("Resuming from %s: epochs done: %d", checkpoint, epochs)
    if iterations:
        logger.info("Iterations done of epoch %d: %d", epochs, iterations)


def validating(seed_model: Path) -> None:
    """The model that training starts from is validated; what follows is no epoch's."""
    logger.info("Validating the seed model %s before the first epoch.", seed_model)


def serializing(path: Path) -> None:
    """Parameters are being written to `path`."""
    logger.info("Serializing model to %s", path)


def best_model(path: Path, first: bool) -> None:
    """The best model is being written to `path`; of the first, the original says so twice."""
    for _ in range(2 if first else 1):
        serializing(path)


def stopped(epoch: int, iterations: int) -> None:
    """The job was asked to stop, and stands after so many iterations of `epoch`."""
    logger.info("Stopped in epoch %d after %d iterations.", epoch, iterations)


def stopped_early(epoch: int, best_miou: float) -> None:
    """No epoch comes after `epoch`, since the best validation mIOU did not improve any more."""
    logger.info("Early stopping at epoch %d. Best validation mIOU: %r", epoch, float(best_miou))


def workers_not_synchronized() -> None:
    """Nobody waits for others at the end of a job on one host."""
    logger.warning(
        "wait_for_all_workers will not sync workers since the kv store is not running distributed"
    )


def calibrating(images: int) -> None:
    """The best model gets thresholds for int8, from so many training images."""
    logger.info("Calibrating the best model for int8 with %d training images.", images)


def quantized(path: Path, float32_miou: float, int8_miou: float) -> None:
    """`path` has the thresholds; the best model's validation mIOU in float32 and in int8."""
    logger.info(
        "Thresholds for int8 are in %s. Validation mIOU: %r in int8, %r in float32.",
        path,
        int8_miou,
        float32_miou,
    )


def quantized_unseen(path: Path, reason: str) -> None:
    """`path` has the thresholds, but what int8 costs is not known."""
    logger.warning("Thresholds for int8 are in %s, not compared with float32: %s.", path, reason)


def not_quantized(reason: str) -> None:
    """The job is done, but has no thresholds for int8."""
    logger.warning(
        "The model is whole, but has no thresholds for int8: %s. `semseg quantize` makes them.",
        reason,
    )


def test_data_not_provided() -> None:
    """The job has no test channel."""
    logger.info("Test data is not provided.")


def loading_weights(path: Path) -> None:
    """A model is read from `path`, in the words of the original's `serve`."""
    logger.info("Loading weights from %s", path)


def _plain(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
