"""Hyperparameters as a job would have them, and jobs that take no time."""

from collections.abc import Callable
from typing import Any

import pytest
from mxnet.gluon import nn

from semseg.data.checks import check_datasets
from semseg.sagemaker.hyperparameters import Configuration, Hyperparameters, defaults
from semseg.sagemaker.job import read_job
from semseg.sagemaker.tree import Tree
from semseg.training import fit
from tests.contract.training_job import CLASSES, TrainingJob
from tests.training.small_job import Setting, Small

MakeJob = Callable[..., Hyperparameters]


@pytest.fixture(scope="session")
def job() -> MakeJob:
    """Makes the default hyperparameters with some replaced, under SageMaker's names."""

    def make(**replaced: Any) -> Hyperparameters:
        required = {"num_classes": "2", "num_training_samples": "8"}
        given = {name: str(value) for name, value in replaced.items()}
        return Configuration.merge(defaults(), {**required, **given}).hyperparameters

    return make


@pytest.fixture
def small_main_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets `fit` train networks that are `Small`."""

    class MainPath(nn.HybridBlock):
        def __init__(self, network: Small) -> None:
            super().__init__()
            self.body = network.body

        def hybrid_forward(self, F: Any, images: Any) -> Any:
            return self.body(images)

    monkeypatch.setattr(fit, "MainPath", MainPath)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory):
    """Makes settings: 2 epochs of 3 batches, and 2 batches to validate with."""
    base = tmp_path_factory.mktemp("data") / "ml"
    tree = TrainingJob(base)
    hyperparameters = read_job(Tree(base)).configuration.final

    def make(**changed: str) -> Setting:
        options = {"crop_size": "24", "base_size": "24", "learning_rate": "0.01"}
        tree.configure("hyperparameters", {**hyperparameters, "epochs": "2", **options, **changed})
        job = read_job(Tree(base))
        return Setting(job, check_datasets(job.channels, CLASSES, 2, 6))

    return make
