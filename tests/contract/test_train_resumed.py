"""A second `train` on the checkpoints of a first: which it takes, and which not."""

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from semseg.networks.artifact import read_artifact
from tests.contract.training_job import TrainingJob
from tests.contract.watched import files

pytestmark = pytest.mark.slow

OPTIONS = {"epochs": "3", "crop_size": "24", "base_size": "24"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainingJob]:
    """A job that came to its end, with three checkpoints; not to be changed."""
    job = TrainingJob(tmp_path_factory.mktemp("finished") / "ml", **OPTIONS)
    job.want_checkpoints()
    outcome = job.run()
    assert outcome.exit_code == 0, outcome.log
    (job.base / "log").write_text(outcome.log)
    yield job
    job.remove()


@pytest.fixture
def again(finished: TrainingJob, tmp_path: Path) -> Iterator[TrainingJob]:
    """The same job as another instance sees it: checkpoints, and no model."""
    job = TrainingJob(tmp_path / "ml", **OPTIONS)
    shutil.copytree(finished.base / "checkpoints", job.want_checkpoints())
    yield job
    job.remove()


def results(log: str) -> list[str]:
    return re.findall(r"#quality_metric.*|#progress_metric.*", log)


def test_a_checkpoint_after_each_epoch(finished: TrainingJob) -> None:
    names = [path.name for path in sorted((finished.base / "checkpoints").iterdir())]
    assert names == [f"checkpoint-{number:06}.zip" for number in (1, 2, 3)]
    log = (finished.base / "log").read_text()
    assert "Checkpoint loading and saving are disabled." not in log


def test_a_checkpoint_unpacked_is_a_model(finished: TrainingJob, tmp_path: Path) -> None:
    with zipfile.ZipFile(finished.base / "checkpoints" / "checkpoint-000003.zip") as checkpoint:
        checkpoint.extractall(tmp_path)
    artifact = read_artifact(tmp_path)
    assert artifact.architecture.algorithm == "fcn"
    assert (tmp_path / "model_algo-1").read_bytes() == (
        finished.model / "model_algo-1"
    ).read_bytes()


def test_a_finished_job_puts_its_models_in_place_again(
    finished: TrainingJob, again: TrainingJob
) -> None:
    outcome = again.run()
    assert outcome.exit_code == 0, outcome.log
    assert files(again.model) == files(finished.model)
    assert results(outcome.log) == []
    assert "checkpoint-000003.zip: epochs done: 3" in outcome.log


def test_the_one_before_a_damaged_checkpoint_is_gone_on_from(
    finished: TrainingJob, again: TrainingJob
) -> None:
    newest = again.base / "checkpoints" / "checkpoint-000003.zip"
    with newest.open("r+b") as file:
        file.seek(newest.stat().st_size // 2)
        file.write(b"not what was there")

    outcome = again.run()

    assert outcome.exit_code == 0, outcome.log
    [warning] = [line for line in outcome.log.splitlines() if "is damaged" in line]
    assert " WARNING " in warning
    assert str(newest) in warning
    assert files(again.model) == files(finished.model)
    expected = results((finished.base / "log").read_text())
    assert results(outcome.log) == [
        line for line in expected if "epoch: 2" in line or "completed 100.0 %" in line
    ]
    assert len(results(outcome.log)) == 4


def test_a_checkpoint_of_other_hyperparameters_is_refused_with_the_differences(
    again: TrainingJob,
) -> None:
    path = again.base / "input" / "config" / "hyperparameters.json"
    given = json.loads(path.read_text())
    again.configure("hyperparameters", {**given, "learning_rate": "0.002", "momentum": "0.8"})

    outcome = again.run(trace_imports=True)

    assert outcome.exit_code == 2
    assert outcome.failure is not None
    first, *others = outcome.failure.splitlines()
    assert str(again.base / "checkpoints" / "checkpoint-000003.zip") in first
    assert "differs in learning_rate, momentum." in first
    assert others == [
        "learning_rate: 0.0001 in the checkpoint, 0.002 now",
        "momentum: 0.9 in the checkpoint, 0.8 now",
    ]
    assert not outcome.imported("mxnet")
    assert again.model_files() == set()


def test_what_does_not_matter_may_differ_and_spelling_does_not(again: TrainingJob) -> None:
    path = again.base / "input" / "config" / "hyperparameters.json"
    given = json.loads(path.read_text())
    changed = {"_workers": "1", "_logging_frequency": "7", "learning_rate": " 1e-4"}
    again.configure("hyperparameters", {**given, **changed})

    outcome = again.run()

    assert outcome.exit_code == 0, outcome.log


def test_a_checkpoint_of_other_data_is_refused(again: TrainingJob) -> None:
    for channel, suffix in (("train", "jpg"), ("train_annotation", "png")):
        folder = again.channel(channel)
        shutil.copy(folder / f"0.{suffix}", folder / f"new.{suffix}")

    outcome = again.run(trace_imports=True)

    assert outcome.exit_code == 2
    assert outcome.failure is not None
    assert "training images: 6 in the checkpoint, 7 now" in outcome.failure
    assert not outcome.imported("mxnet")


def test_a_wrong_interval_is_named(again: TrainingJob) -> None:
    outcome = again.run(SEMSEG_CHECKPOINT_MINUTES="often")
    assert outcome.exit_code == 2
    assert outcome.failure is not None
    assert "SEMSEG_CHECKPOINT_MINUTES is 'often'" in outcome.failure
