"""A run that was interrupted anywhere and went on ends as one that was left alone: `fit` itself, on
a network small enough to interrupt it at every step."""

import errno
import logging
import re
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

from semseg.training import checkpoint_file, fit

pytestmark = pytest.mark.usefixtures("small_main_path")

TIMES = re.compile(r"(speed|throughput): \S+ samples/sec\.?|\"(StartTime|EndTime)\": [0-9.]+")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture):
    """What has been said since the last time, without times and speeds."""
    caplog.set_level(logging.INFO, "semseg")

    def take() -> list[str]:
        lines = [message for message in caplog.messages if message.startswith("#")]
        caplog.clear()
        return [TIMES.sub("", line) for line in lines]

    return take


def models(base: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (base / "model").iterdir()}


def of_epochs(lines: list[str]) -> list[str]:
    return [line for line in lines if "progress_notice" not in line]


@pytest.mark.parametrize("optimizer", ["sgd", "nag", "adam", "adagrad", "rmsprop", "adadelta"])
def test_every_optimizer_goes_on_from_every_step_to_the_last_bit(
    tmp_path: Path, setting, said, optimizer: str
) -> None:
    job = setting(optimizer=optimizer)
    assert job.run(tmp_path / "alone") == 2
    expected = said()
    assert len(of_epochs(expected)) == 12

    # Before each of the 2 x (3 + 2) batches.
    for place in range(10):
        base = tmp_path / f"{place}"
        job.run(base, stop_after=place)
        before = said()
        assert job.run(base) == 2
        after = said()
        assert models(base) == models(tmp_path / "alone"), place
        assert of_epochs(before + after) == of_epochs(expected), place
        assert [line for line in before + after if "learning_rate" in line] == [
            line for line in expected if "learning_rate" in line
        ]


def test_a_run_interrupted_again_and_again_comes_to_the_same_end(
    tmp_path: Path, setting, said
) -> None:
    job = setting(optimizer="adam", epochs="3")
    job.run(tmp_path / "alone")
    expected = said()
    # Two checks at least: a validation that is interrupted begins anew.
    for checks in (3, 2, 4, 2, 2):
        assert job.run(tmp_path / "chain", stop_after=checks) < 3
    assert job.run(tmp_path / "chain") == 3
    assert models(tmp_path / "chain") == models(tmp_path / "alone")
    assert of_epochs(said()) == of_epochs(expected)


def test_on_several_devices_it_goes_on_up_to_rounding(tmp_path: Path, setting) -> None:
    """Until an epoch ends each has running statistics of its own; a checkpoint has their mean."""
    job = setting(optimizer="adam")
    job.run(tmp_path / "alone", devices=2)
    for place in (1, 4, 7):
        job.run(tmp_path / f"{place}", devices=2, stop_after=place)
        job.run(tmp_path / f"{place}", devices=2)
        ended, expected = (
            mx.nd.load(str(tmp_path / name / "model" / "model_algo-1"))
            for name in (f"{place}", "alone")
        )
        for name, values in expected.items():
            np.testing.assert_allclose(ended[name].asnumpy(), values.asnumpy(), 1e-5, 1e-6)


def test_the_seed_of_a_job_without_one_is_the_checkpoints(tmp_path: Path, setting) -> None:
    job = setting()
    job.run(tmp_path / "alone", seed=5)
    job.run(tmp_path / "resumed", seed=5, stop_after=4)
    job.run(tmp_path / "resumed", seed=6)
    assert models(tmp_path / "resumed") == models(tmp_path / "alone")


def test_an_early_stop_comes_at_the_same_epoch(tmp_path: Path, setting) -> None:
    """Hardly an epoch is twice as good as the one before."""
    early = {"early_stopping_min_epochs": "1", "early_stopping_patience": "2"}
    job = setting(epochs="9", early_stopping="True", early_stopping_tolerance="1", **early)
    epochs = job.run(tmp_path / "alone")
    assert epochs < 9
    assert job.run(tmp_path / "resumed", stop_after=5 * epochs - 2) == epochs - 1
    assert job.run(tmp_path / "resumed") == epochs
    assert models(tmp_path / "resumed") == models(tmp_path / "alone")


def test_a_finished_run_goes_on_to_its_end_only(tmp_path: Path, setting, said) -> None:
    job = setting()
    job.run(tmp_path)
    before = models(tmp_path)
    for path in (tmp_path / "model").iterdir():
        path.unlink()
    said()

    assert job.run(tmp_path) == 2

    assert models(tmp_path) == before
    assert said() == []


def test_long_epochs_have_checkpoints_in_between(tmp_path: Path, setting) -> None:
    def last(base: Path) -> str:
        return max(path.name for path in (base / "checkpoints").iterdir())

    setting().run(tmp_path / "always", seconds=0)
    setting().run(tmp_path / "seldom", seconds=3600)
    # In each epoch: before each batch, before validation, and at the end.
    assert last(tmp_path / "always") == "checkpoint-000010.zip"
    assert last(tmp_path / "seldom") == "checkpoint-000002.zip"


def test_an_earlier_jobs_files_stay_until_there_are_better_ones(tmp_path: Path, setting) -> None:
    model = tmp_path / "model"
    model.mkdir()
    names = ("hyperparams.json", "model_algo-1", "model_best.params")
    for name in names:
        (model / name).write_text("an earlier job's")

    setting().run(tmp_path, stop_after=0)
    assert models(tmp_path) == dict.fromkeys(names, b"an earlier job's")

    setting().run(tmp_path, stop_after=2)
    assert b"an earlier job's" not in models(tmp_path).values()


def test_a_first_best_model_takes_the_place_of_all_of_an_earlier_jobs_files(
    tmp_path: Path, setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model_algo-1").write_text("an earlier job's")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fit.Saver, "last", killed)
    with pytest.raises(KeyboardInterrupt):
        setting().run(tmp_path)
    assert set(models(tmp_path)) == {"hyperparams.json", "model_best.params"}


def test_a_checkpoint_that_cannot_be_written_costs_no_model(
    tmp_path: Path, setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint_file, "write", full)
    with pytest.raises(OSError, match="No space left"):
        setting().run(tmp_path, seconds=3600)
    assert set(models(tmp_path)) == {"hyperparams.json", "model_best.params"}
