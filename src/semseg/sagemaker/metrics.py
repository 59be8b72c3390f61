"""The metric lines, to the character those of the original container's logs of January 2025.

SageMaker finds metrics in these lines by the regular expressions which stand in
``configs/metric-definitions.json``. The ``#metrics`` lines are JSON without the log prefix. In the
original all their counters stay at zero but for the resets, and so they do here.
"""

import json
import logging
import sys
from collections.abc import Mapping

logger = logging.getLogger(__name__)

_ALGORITHM = "AWS/Semantic Segmentation"
_COUNTERS = (
    "Total Records Seen",
    "Total Batches Seen",
    "Max Records Seen Between Resets",
    "Max Batches Seen Between Resets",
    "Reset Count",
    "Number of Records Since Last Reset",
    "Number of Batches Since Last Reset",
)


def progress_notice(
    epoch: int, iterations: int, speed: float, learning_rate: float | None = None
) -> None:
    """Samples per second after so many iterations; validation has no learning rate."""
    rate = "" if learning_rate is None else f" learning_rate: {learning_rate:.6f}"
    logger.info(
        "#progress_notice. epoch: %d, iterations: %d speed: %r samples/sec%s",
        epoch,
        iterations,
        float(speed),
        rate,
    )


def train_epoch(host: str, epoch: int, loss: float, throughput: float) -> None:
    """The mean loss of a training epoch, and its samples per second."""
    _quality(host, epoch, "train loss", loss)
    _throughput(host, epoch, "train", throughput)


def validation_epoch(
    host: str, epoch: int, pixel_accuracy: float, miou: float, throughput: float
) -> None:
    """What validation after an epoch gave, and its samples per second."""
    _scores(host, epoch, "validation", pixel_accuracy, miou, throughput)


def test_data(host: str, epoch: int, pixel_accuracy: float, miou: float, throughput: float) -> None:
    """What the best model is worth on the test data, after the last `epoch`; samples per second.

    No log of the original has such lines; they have the form of those of validation.
    """
    _scores(host, epoch, "test", pixel_accuracy, miou, throughput)


def progress(host: str, epoch: int, epochs: int) -> None:
    """How much of the job is done after `epoch`, which counts from 0."""
    percent = 100 * (epoch + 1) / epochs
    logger.info("#progress_metric: host=%s, completed %r %% of epochs", host, percent)


def init_data_iterator(host: str, start: float, end: float) -> None:
    """The data iterator was set up between two points of time (seconds since 1970)."""
    _metrics(host, start, end, {"Meta": "init_train_data_iter"}, _counters(resets=0))


def epoch_data_iterator(host: str, epoch: int, start: float, end: float) -> None:
    """The data iterator went through an epoch between two points of time (seconds since 1970)."""
    dimensions: dict[str, int | str] = {"epoch": epoch, "Meta": "training_data_iter"}
    _metrics(host, start, end, dimensions, _counters(resets=epoch + 1))


def job_summary(
    host: str, epochs: int, setup_ms: float, total_ms: float, start: float, end: float
) -> None:
    """The last line of a job: epochs trained, milliseconds of set-up and of the whole."""
    metrics = {
        "epochs": _count(epochs),
        "setuptime": _single(float(setup_ms)),
        "totaltime": _single(float(total_ms)),
    }
    _metrics(host, start, end, {}, metrics)


def _scores(
    host: str, epoch: int, part: str, pixel_accuracy: float, miou: float, throughput: float
) -> None:
    _quality(host, epoch, f"{part} pixel_accuracy", pixel_accuracy)
    _quality(host, epoch, f"{part} mIOU", miou)
    _throughput(host, epoch, part, throughput)


def _quality(host: str, epoch: int, name: str, value: float) -> None:
    logger.info("#quality_metric. host: %s, epoch: %d, %s: %r .", host, epoch, name, float(value))


def _throughput(host: str, epoch: int, part: str, speed: float) -> None:
    logger.info(
        "#throughput_metric. host: %s, epoch: %d, %s throughput: %r samples/sec.",
        host,
        epoch,
        part,
        float(speed),
    )


def _metrics(
    host: str,
    start: float,
    end: float,
    dimensions: Mapping[str, int | str],
    metrics: dict[str, dict[str, float]],
) -> None:
    document = {
        "StartTime": start,
        "EndTime": end,
        "Dimensions": {
            "Algorithm": _ALGORITHM,
            "Host": host,
            "Operation": "training",
            **dimensions,
        },
        "Metrics": metrics,
    }
    sys.stdout.write(f"#metrics {json.dumps(document)}\n")
    sys.stdout.flush()


def _counters(resets: int) -> dict[str, dict[str, float]]:
    return {name: _count(resets if name == "Reset Count" else 0) for name in _COUNTERS}


def _count(value: int) -> dict[str, float]:
    """A counter: its sum is written as a float, its ends as integers."""
    return {"sum": float(value), "count": 1, "min": value, "max": value}


def _single(value: float) -> dict[str, float]:
    return {"sum": value, "count": 1, "min": value, "max": value}
