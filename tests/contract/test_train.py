"""What a `train` that succeeds prints and leaves behind."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.contract.training_job import EPOCHS, HYPERPARAMETERS, PREFIX, Run, logits_of

pytestmark = pytest.mark.slow


def test_it_succeeds(run: Run):
    assert run.outcome.exit_code == 0, run.outcome.log + run.outcome.errors
    assert run.outcome.failure is None
    assert "Traceback" not in run.outcome.log + run.outcome.errors


def test_it_leaves_the_three_files_of_the_original(run: Run):
    assert run.job.model_files() == {"model_algo-1", "model_best.params", "hyperparams.json"}


def test_hyperparams_json_is_flat_and_made_of_strings(run: Run):
    kept = json.loads((run.job.model / "hyperparams.json").read_text())

    assert all(isinstance(value, str) for value in kept.values())
    assert kept.items() >= {**HYPERPARAMETERS, "epochs": str(EPOCHS)}.items()
    assert kept["algorithm"] == "fcn"
    assert kept["backbone"] == "resnet-50"
    assert kept["num_classes"] == "3"
    assert kept["crop_size"] == "32"


@pytest.mark.parametrize("name", ["model_algo-1", "model_best.params"])
def test_both_models_load_in_gluoncv_and_say_the_same_there(run: Run, name: str):
    theirs, ours = logits_of(run.job.model / name, "fcn")

    assert ours.shape == (1, 3, 32, 32)
    assert np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max()


def test_a_seed_gives_the_same_bytes_again(run: Run, same_again: Run):
    assert same_again.outcome.exit_code == 0, same_again.outcome.log
    for name in ("model_algo-1", "model_best.params"):
        assert (run.job.model / name).read_bytes() == (same_again.job.model / name).read_bytes()


def test_a_seed_gives_the_same_metrics_again(run: Run, same_again: Run):
    def metrics(of: Run) -> list[str]:
        found = re.findall(r"(?:loss|pixel_accuracy|mIOU|learning_rate): \S+", of.outcome.log)
        assert len(found) == EPOCHS * 6
        return found

    assert metrics(run) == metrics(same_again)


def test_files_do_not_depend_on_the_hosts_name_but_metrics_do(same_again: Run):
    assert "model_algo-1" in same_again.job.model_files()
    assert "host: algo-1-x7k2p, epoch: 0, validation mIOU: " in same_again.outcome.log
    assert "#progress_metric: host=algo-1-x7k2p, completed 50.0 % of epochs" in (
        same_again.outcome.log
    )


def test_metrics_lines_are_json(run: Run):
    documents = [json.loads(line[9:]) for line in run.lines if line.startswith("#metrics ")]
    dimensions = [document["Dimensions"] for document in documents]
    usual = {"Algorithm": "AWS/Semantic Segmentation", "Host": "algo-1", "Operation": "training"}

    assert dimensions == [
        {**usual, "Meta": "init_train_data_iter"},
        {**usual, "epoch": 0, "Meta": "training_data_iter"},
        {**usual, "epoch": 1, "Meta": "training_data_iter"},
        usual,
    ]
    assert documents[-1]["Metrics"]["epochs"]["sum"] == EPOCHS
    assert all(document["StartTime"] <= document["EndTime"] for document in documents)


def test_the_metric_definitions_find_one_value_an_epoch(run: Run, project: Path):
    definitions = json.loads((project / "configs" / "metric-definitions.json").read_text())
    found = {
        one["Name"]: [float(value) for value in re.findall(one["Regex"], run.outcome.log)]
        for one in definitions
        if not one["Name"].startswith("test:")
    }

    assert found.keys() == {
        "train:loss",
        "train:throughput",
        "validation:mIOU",
        "validation:pixel_accuracy",
        "validation:throughput",
    }
    assert {len(values) for values in found.values()} == {EPOCHS}
    assert all(0 <= value <= 1 for value in found["validation:mIOU"])
    assert all(value > 0 for value in found["train:throughput"] + found["train:loss"])


def test_learning_rates_follow_the_poly_schedule(run: Run):
    """Six updates from 0.0001 down to 0: 0.0001 * (1 - update / 6) ** 0.9."""
    rates = re.findall(r"samples/sec learning_rate: (\S+)", run.outcome.log)

    assert rates == ["0.000085", "0.000069", "0.000054", "0.000037", "0.000020", "0.000000"]


def test_clutter_of_a_wide_prefix_is_passed_over(run: Run):
    warned = [PREFIX.sub(r"\1 ", line) for line in run.lines if "readable" in line]

    assert warned == [
        "WARNING /opt/ml/input/data/train/train_annotation is not a readable image file",
        "WARNING /opt/ml/input/data/validation/validation_annotation is not a readable image file",
    ]
