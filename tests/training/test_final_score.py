"""Test data and the best model, on a network small enough to be looked through."""

import logging
from pathlib import Path
from typing import Any

import mxnet as mx
import pytest
from mxnet.gluon import nn

from semseg.data.checks import check_datasets
from semseg.data.loading import EvaluationBatches
from semseg.networks import artifact
from semseg.sagemaker.job import read_job
from semseg.sagemaker.tree import Tree
from semseg.training import final_score
from semseg.training.evaluation import evaluate
from semseg.training.final_score import score_test_data
from tests.contract.training_job import CLASSES, TrainingJob

SIZES = ((30, 26), (24, 40), (33, 24))


class Small(nn.HybridBlock):
    """One convolution; its own main path."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2D(CLASSES, kernel_size=1, in_channels=3)

    def hybrid_forward(self, F: Any, images: Any) -> Any:
        return self.body(images)


def network(seed: int, devices: int = 1) -> tuple[Small, tuple[Any, ...]]:
    """One with random values, and the devices it is on."""
    mx.random.seed(seed)
    contexts = tuple(mx.cpu(number) for number in range(devices))
    made = Small()
    made.initialize(mx.init.Normal(1), ctx=list(contexts))
    return made, contexts


@pytest.fixture(autouse=True)
def _small_main_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(final_score, "MainPath", lambda network: network)


@pytest.fixture
def job(tmp_path: Path, request: pytest.FixtureRequest):
    """A job with test data whose best model is that of seed 1."""
    options = {"validation_mini_batch_size": "1", "crop_size": "24"}
    made = TrainingJob(tmp_path / "ml", validation_sizes=SIZES, **options)
    made.add_test_data()
    made.model.mkdir()
    artifact.write_parameters(made.model / artifact.BEST, network(1)[0])
    return read_job(Tree(made.base))


@pytest.mark.parametrize("devices", [1, 2, 3])
def test_it_is_the_best_model_that_is_scored_on_all_devices(
    job, caplog: pytest.LogCaptureFixture, devices: int
) -> None:
    data = check_datasets(job.channels, CLASSES, 2, 6).test
    assert isinstance(data, tuple)
    best, contexts = network(1)
    expected, _ = evaluate(best, EvaluationBatches(data, 1, 24, 1), CLASSES, contexts, 0, 100)
    trained, contexts = network(2, devices)
    other, _ = evaluate(trained, EvaluationBatches(data, 1, 24, 1), CLASSES, contexts, 0, 100)
    assert expected.miou != other.miou
    caplog.set_level(logging.INFO, "semseg")

    score_test_data(job, data, trained, contexts, epoch=4)

    assert f"#quality_metric. host: algo-1, epoch: 4, test mIOU: {expected.miou!r} ." in (
        caplog.messages
    )
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_file_that_has_gone_costs_the_score_only(job, caplog: pytest.LogCaptureFixture) -> None:
    data = check_datasets(job.channels, CLASSES, 2, 6).test
    (job.channels.test.path / "1.jpg").unlink()
    before = (job.tree.model / artifact.BEST).read_bytes()

    score_test_data(job, data, *network(2), epoch=4)

    [error] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert error.getMessage().startswith(
        "The test data could not be scored; the models are whole, and kept. Platform Error: "
    )
    assert "1.jpg" in error.getMessage()
    assert (job.tree.model / artifact.BEST).read_bytes() == before
