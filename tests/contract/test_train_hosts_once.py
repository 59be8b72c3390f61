"""What only the first of several hosts does, and does once: seed model, test data, int8."""

import os
import re
from collections.abc import Iterator

import pytest

from semseg.networks.artifact import BEST, CONFIGURATION, LAST
from semseg.networks.thresholds import THRESHOLDS
from tests.contract.cluster import Cluster, log_of
from tests.contract.test_train_seed_model import SETTINGS, accuracies, add_seed, mious
from tests.contract.training_job import HYPERPARAMETERS, TRAINING_SIZES, Run
from tests.contract.watched import Watched

pytestmark = pytest.mark.slow

Trained = tuple[Cluster, list[Watched]]


@pytest.fixture(scope="module")
def trained(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """Two hosts that go on from the best model of `run`, with all that may follow training."""
    data = {name: HYPERPARAMETERS[name] for name in ("crop_size", "base_size")}
    cluster = Cluster(
        tmp_path_factory.mktemp("once"), 2, **data, training_sizes=TRAINING_SIZES, quantize="True"
    )
    first, other = cluster.jobs
    archive = add_seed(first, run.job.model)
    folder = other.add_channel("model", SETTINGS)
    folder.mkdir()
    os.link(archive, folder / archive.name)
    for job in cluster.jobs:
        job.add_test_data()
    yield cluster, cluster.run()
    cluster.remove()


def test_the_first_host_writes_the_model_with_its_thresholds(trained: Trained) -> None:
    first, other = trained[0].jobs

    assert first.model_files() == {BEST, LAST, CONFIGURATION, THRESHOLDS}
    assert {path.name for path in other.base.iterdir()} == {"input"}


def test_the_seed_is_validated_by_all_together(run: Run, trained: Trained) -> None:
    """Whole images make up each host's share, so their sums are those of one host."""
    log = trained[1][0].log
    best = max(mious(run.outcome.log))

    assert mious(log)[0] == pytest.approx(best, abs=1e-4)
    which = mious(run.outcome.log).index(best)
    assert accuracies(log)[0] == pytest.approx(accuracies(run.outcome.log)[which], abs=1e-4)
    assert len(mious(log)) == 2


def test_test_data_are_scored_once_and_with_the_best_model(trained: Trained) -> None:
    """Test data are those of validation here, so the best model has its score once more."""
    first, other = (train.log for train in trained[1])

    [scored] = re.findall(r"test mIOU: (\S+) \.", first)
    assert float(scored) == pytest.approx(max(mious(first)), abs=1e-4)
    assert "test mIOU" not in other


def test_the_best_model_is_calibrated_once(trained: Trained) -> None:
    first, other = (train.log for train in trained[1])

    assert first.count("Calibrating the best model for int8") == 1, log_of(trained[1])
    assert "Calibrating" not in other
