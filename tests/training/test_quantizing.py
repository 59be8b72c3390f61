"""A job with quantize=True that cannot be quantized says so, and is done all the same."""

import logging
from dataclasses import dataclass
from pathlib import Path

import pytest

from semseg.data.checks import Dataset
from semseg.data.pairs import Pair
from semseg.data.streams import Stream
from semseg.networks.thresholds import THRESHOLDS, Report, Thresholds
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.hyperparameters import Hyperparameters
from semseg.sagemaker.tree import Tree
from semseg.training import quantizing
from semseg.training.quantizing import quantize_best_model
from tests.training.conftest import MakeJob


@dataclass(frozen=True)
class AJob:
    """As much of a job as is looked at here."""

    tree: Tree
    hyperparameters: Hyperparameters


@pytest.fixture
def finished(job: MakeJob, tmp_path: Path) -> AJob:
    """A job that has left no model."""
    return AJob(Tree(tmp_path), job())


PAIRS = (Pair("a", Path("a.jpg"), Path("a.png")),)


def test_streams_are_gone_by_then(finished: AJob, caplog: pytest.LogCaptureFixture) -> None:
    stream = Stream(Channel("train", finished.tree.channel("train"), None, "Pipe"), 3)
    quantize_best_model(finished, Dataset(stream, PAIRS))  # type: ignore[arg-type]
    assert "streamed, and are gone. `semseg quantize` makes them." in caplog.text


def test_what_goes_wrong_does_not_end_the_job(
    finished: AJob, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        quantize_best_model(finished, Dataset(PAIRS, PAIRS))  # type: ignore[arg-type]
    assert "The model is whole, but has no thresholds for int8: Customer Error: " in caplog.text
    assert "semseg quantize" in caplog.text


def test_thresholds_are_kept_where_the_comparison_fails(
    finished: AJob, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(*_given: object) -> Report:
        raise MemoryError

    thresholds = Thresholds(parameters_sha256="", images=1, ranges={"relu": (0, 1)})
    monkeypatch.setattr(quantizing, "read_artifact", lambda folder: folder)
    monkeypatch.setattr(quantizing, "calibrate", lambda artifact, images: thresholds)
    monkeypatch.setattr(quantizing, "compare", burst)

    quantize_best_model(finished, Dataset(PAIRS, PAIRS))  # type: ignore[arg-type]

    kept = (finished.tree.model / THRESHOLDS).read_text()
    assert Thresholds.model_validate_json(kept) == thresholds
    assert f"Thresholds for int8 are in {finished.tree.model / THRESHOLDS}, not " in caplog.text
    assert "has no thresholds" not in caplog.text
