"""Jobs that `train` refuses: when, in which words, and leaving what behind."""

import json

import pytest

from tests.contract.refusals import assert_refused, break_data
from tests.contract.training_job import TrainingJob


def test_all_bad_hyperparameters_are_named_at_once(tmp_path):
    bad = {
        "num_classes": "255",
        "epochs": "ten",
        "learning_rate": "0",
        "crop_size": "16",
        "lr_scheduler": "step",
        "optimizer": "SGD",
        "mini_batch_siz": "4",
    }
    job = TrainingJob(tmp_path / "ml", **bad)

    outcome = job.run(trace_imports=True)

    message = assert_refused(job, outcome)
    assert outcome.failure == message
    assert message.startswith("hyperparameters.json: 7 problems (")
    for name, value in bad.items():
        if name != "lr_scheduler":
            assert f"{name}: found {value!r}" in message
    assert "lr_scheduler_step: no value was specified" in message
    assert "did you mean 'mini_batch_size'?" in message
    assert not outcome.imported("mxnet")


def test_a_message_too_long_for_the_failure_file_is_whole_in_the_log(tmp_path):
    unknown = {f"unknown_{number}": "1" for number in range(40)}
    job = TrainingJob(tmp_path / "ml", **unknown)

    outcome = job.run()

    message = assert_refused(job, outcome)
    assert outcome.failure.startswith("hyperparameters.json: 40 problems (unknown_0, ")
    assert outcome.failure.endswith("(cut: the whole message is in the log)")
    assert all(f"{name}: found '1'" in message for name in unknown)


def break_channels(job: TrainingJob) -> None:
    modes = {"train": "Pipe", "train_annotation": "File", "validaton": "File"}
    job.configure(
        "inputdataconfig", {name: {"TrainingInputMode": mode} for name, mode in modes.items()}
    )


def test_all_bad_files_are_named_at_once(tmp_path):
    job = TrainingJob(tmp_path / "ml")
    break_data(job)

    outcome = job.run(trace_imports=True)

    message = assert_refused(job, outcome)
    assert message.startswith("7 problems in the data: ")
    for where, words in (
        ("train/0.jpg", "there is no train_annotation/0.png"),
        ("train_annotation/1.png", "there is no train/1.jpg"),
        ("train_annotation/2.png", "the mask has 50 x 70 pixels, its image 70 x 50"),
        ("train_annotation/3.png", "label 3 (3500 pixels): with num_classes=3, labels are 0..2"),
        ("train_annotation/4.png", "RGB"),
        ("train/5.jpg", "truncated"),
        ("validation/0.jpg", "image"),
    ):
        [line] = [line for line in message.splitlines() if line.startswith(f"{where}: ")]
        assert words in line
    assert not outcome.imported("mxnet")


def test_complaints_come_in_the_order_hyperparameters_channels_data(tmp_path):
    """Those of hyperparameters and channels at once; the data need them, and come next."""
    job = TrainingJob(tmp_path / "ml", epochs="0")
    good = json.loads((job.base / "input" / "config" / "inputdataconfig.json").read_text())
    hyperparameters = job.base / "input" / "config" / "hyperparameters.json"
    break_channels(job)
    break_data(job)

    first = assert_refused(job, job.run())
    summaries = first.splitlines()[:2]
    assert summaries[0] == "hyperparameters.json: 1 problem (epochs)"
    assert summaries[1].startswith("inputdataconfig.json: 4 problems (")
    assert "\nepochs: found '0'" in first
    assert "\nvalidaton: " in first

    hyperparameters.write_text(
        hyperparameters.read_text().replace('"epochs": "0"', '"epochs": "1"')
    )
    second = assert_refused(job, job.run())
    assert second.startswith("inputdataconfig.json: 4 problems (")
    for name in ("validation", "validation_annotation", "train", "validaton"):
        assert f"\n{name}: " in second
    assert "did you mean 'validation'?" in second

    job.configure("inputdataconfig", good)
    assert assert_refused(job, job.run()).startswith("7 problems in the data: ")


@pytest.mark.parametrize("name", ["hyperparameters", "inputdataconfig"])
def test_a_missing_or_malformed_file_is_named(tmp_path, name):
    job = TrainingJob(tmp_path / "ml")
    path = job.base / "input" / "config" / f"{name}.json"

    path.write_text('{"epochs": "1",}')
    malformed = assert_refused(job, job.run())
    path.unlink()
    missing = assert_refused(job, job.run())

    assert malformed.startswith(f"{name}.json is not valid JSON: ")
    assert "line 1, column 16" in malformed
    assert missing.startswith(f"{name}.json is missing")
