from collections.abc import Callable
from pathlib import Path

import pytest

from semseg.data.batches import evaluation_batches, training_batches
from semseg.data.loading import EvaluationBatches, TrainingBatches
from semseg.data.pairs import Pair
from semseg.data.streaming import StreamedEvaluation, StreamedTraining
from semseg.data.streams import Stream
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.hyperparameters import Configuration, Hyperparameters, defaults
from tests.data.pipe import Pipe
from tests.data.records import pairs, records


def job(samples: int) -> Hyperparameters:
    given = {
        "num_classes": "9",
        "num_training_samples": str(samples),
        "mini_batch_size": "2",
        "crop_size": "24",
        "base_size": "40",
    }
    return Configuration.merge(defaults(), given).hyperparameters


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    """Six pairs, twice."""
    Pipe(tmp_path / "train", [records(pairs(6))] * 2)
    return Stream(Channel("train", tmp_path / "train", None, "Pipe", True), 9)


def nothing() -> None:
    """Checks nothing."""


def test_files_and_streams_have_batches_of_their_own(
    make_pairs: Callable[[int], list[Pair]], stream: Stream
) -> None:
    files = tuple(make_pairs(2))
    assert isinstance(training_batches(files, job(6), 1, 7, nothing), TrainingBatches)
    assert isinstance(evaluation_batches(files, job(6), 1, nothing), EvaluationBatches)
    assert isinstance(training_batches(stream, job(6), 1, 7, nothing), StreamedTraining)
    assert isinstance(evaluation_batches(stream, job(6), 1, nothing), StreamedEvaluation)


@pytest.mark.parametrize(("samples", "warnings"), [(6, 0), (7, 1)])
def test_a_stream_is_counted_when_its_first_epoch_is_over(
    stream: Stream, caplog: pytest.LogCaptureFixture, samples: int, warnings: int
) -> None:
    batches = training_batches(stream, job(samples), 1, 7, nothing)
    first = batches.epoch(0)
    next(first)
    assert caplog.messages == []
    assert len([*first, *batches.epoch(1)]) == 5
    assert caplog.messages == warnings * [
        "num_training_samples is 7, but there are 6 training images;"
        " the learning rate schedule follows num_training_samples."
    ]
