"""A job that starts from a model: validated first, and the best until an epoch is better."""

import logging
import re
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest

from semseg.networks.artifact import BEST, LAST
from semseg.networks.seed_model import SeedModel
from semseg.training import fit
from semseg.training.scores import ConfusionMatrix
from tests.training.small_job import Small

pytestmark = pytest.mark.usefixtures("small_main_path")

SEED_MODEL = SeedModel(Path("/opt/model.tar.gz"), "0123456789abcdef")


@pytest.fixture
def mious(monkeypatch: pytest.MonkeyPatch):
    """Says what each validation is to come to; where nothing is left, validation is a real one."""
    left: list[float] = []
    real = fit.evaluate

    def evaluate(*arguments: Any) -> tuple[ConfusionMatrix, float]:
        confusion, speed = real(*arguments)
        if left:
            right = round(left.pop(0) * 1000)
            confusion.counts = np.diag([right, right, right])
            confusion.counts[0, 1] = confusion.counts[1, 2] = confusion.counts[2, 0] = 1000 - right
        return confusion, speed

    monkeypatch.setattr(fit, "evaluate", evaluate)
    return left


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture):
    """The messages about validation and models since the last time."""
    caplog.set_level(logging.INFO, "semseg")

    def take() -> list[str]:
        found = [one for one in caplog.messages if re.search("mIOU|Serial|Validating", one)]
        caplog.clear()
        return [re.sub(r"/\S*/|#quality_metric. host: algo-1, | \.$", "", one) for one in found]

    return take


def same(file: Path, other: Path) -> bool:
    return file.read_bytes() == other.read_bytes()


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """What `Setting.run` gives a network to begin with."""
    mx.random.seed(1)
    network = Small()
    network.initialize(ctx=[mx.cpu()])
    network.save_parameters(str(tmp_path / "start"))
    return tmp_path / "start"


def test_the_seed_stays_the_best_where_no_epoch_is_better(
    tmp_path: Path, setting, mious, said, start: Path
) -> None:
    mious += [0.9, 0.5, 0.6]
    assert setting().run(tmp_path, seed_model=SEED_MODEL) == 2
    lines = said()
    assert lines[:2] == [
        "Validating the seed model model.tar.gz before the first epoch.",
        f"epoch: 0, validation mIOU: {9 / 11!r}",
    ]
    assert lines[2] == f"Serializing model to {BEST}"
    assert [line[:27] for line in lines[3:]] == [
        "epoch: 0, validation mIOU: ",
        "epoch: 1, validation mIOU: ",
        f"Serializing model to {LAST}"[:27],
    ]
    assert same(tmp_path / "model" / BEST, start)
    assert not same(tmp_path / "model" / LAST, start)
    assert (tmp_path / "model" / "hyperparams.json").is_file()


def test_an_epoch_that_is_better_takes_its_place(
    tmp_path: Path, setting, mious, said, start: Path
) -> None:
    mious += [0.5, 0.4, 0.6]
    setting().run(tmp_path, seed_model=SEED_MODEL)
    assert [line for line in said() if "Serializing" in line] == [
        f"Serializing model to {BEST}",
        f"Serializing model to {BEST}",
        f"Serializing model to {LAST}",
    ]
    assert same(tmp_path / "model" / BEST, tmp_path / "model" / LAST)


def test_the_first_validation_is_of_the_network_as_it_came(
    tmp_path: Path, setting, mious, said
) -> None:
    """And it changes nothing in what comes after."""
    setting().run(tmp_path / "alone")
    expected = said()
    setting().run(tmp_path / "seeded", seed_model=SEED_MODEL)
    found = said()
    first = found.index("Validating the seed model model.tar.gz before the first epoch.")
    del found[first : first + 3]
    metrics = [[line for line in lines if "mIOU" in line] for lines in (found, expected)]
    assert metrics[0] == metrics[1]
    assert same(tmp_path / "alone" / "model" / LAST, tmp_path / "seeded" / "model" / LAST)


def test_a_run_that_goes_on_validates_the_seed_no_more(
    tmp_path: Path, setting, mious, said, start: Path
) -> None:
    """Wherever it was interrupted: while the seed was validated, in an epoch, or after it."""
    for place in range(2 + 2 * (3 + 2)):
        base = tmp_path / f"{place}"
        mious[:] = [0.99]
        setting().run(base, stop_after=place, seed_model=SEED_MODEL)
        seen = sum("Validating" in line for line in said())
        mious[:] = [0.99] if place < 3 else []
        assert setting().run(base, seed_model=SEED_MODEL) == 2
        again = sum("Validating" in line for line in said())
        assert (seen, again) == ((1, 1) if place < 3 else (1, 0)), place
        assert same(base / "model" / BEST, start), place
        names = {path.name for path in (base / "model").iterdir()}
        assert names == {"hyperparams.json", BEST, LAST}


def test_early_stopping_counts_from_the_seed(tmp_path: Path, setting, mious) -> None:
    mious += [0.9, 0.5, 0.6, 0.7, 0.8]
    early = {"early_stopping_min_epochs": "1", "early_stopping_patience": "2"}
    job = setting(epochs="9", early_stopping="True", **early)
    assert job.run(tmp_path, seed_model=SEED_MODEL) == 2


def test_a_stop_before_the_first_step_leaves_the_seed_if_it_was_validated(
    tmp_path: Path, setting, mious, start: Path
) -> None:
    """Two batches are validated with; the third look is before the first step."""
    setting().run(tmp_path, stop_after=1, seed_model=SEED_MODEL)
    assert not (tmp_path / "model").exists()
    setting().run(tmp_path, stop_after=2, seed_model=SEED_MODEL)
    assert same(tmp_path / "model" / BEST, start)
