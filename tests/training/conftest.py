"""Hyperparameters as a job would have them."""

from collections.abc import Callable
from typing import Any

import pytest

from semseg.sagemaker.hyperparameters import Configuration, Hyperparameters, defaults

MakeJob = Callable[..., Hyperparameters]


@pytest.fixture(scope="session")
def job() -> MakeJob:
    """Makes the default hyperparameters with some replaced, under SageMaker's names."""

    def make(**replaced: Any) -> Hyperparameters:
        required = {"num_classes": "2", "num_training_samples": "8"}
        given = {name: str(value) for name, value in replaced.items()}
        return Configuration.merge(defaults(), {**required, **given}).hyperparameters

    return make
