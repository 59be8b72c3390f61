"""Jobs whose masks have pixel values that a label map turns into labels."""

import re
from pathlib import Path

from tests.contract.refusals import assert_refused
from tests.contract.training_job import EPOCHS, Run, TrainingJob

TRAIN = {"map": {"0": 200, "1": "3", "2": 0}}
VALIDATION = {"scale": "10"}
LABELS = re.compile(r"#label_map \w+ :.*|label maps not provided.*")


def metrics(lines: list[str]) -> list[str]:
    return [line.split("#quality_metric")[1] for line in lines if "#quality_metric" in line]


def test_mapped_masks_train_as_those_that_hold_labels(run: Run, tmp_path: Path) -> None:
    """The same job as `run`, whose masks hold the labels themselves, to the last digit."""
    job = TrainingJob(tmp_path / "ml", epochs=str(EPOCHS))
    job.rewrite_masks("train", [200, 3, 0])
    job.rewrite_masks("validation", [4, 10, 29])
    job.add_label_maps(train=TRAIN, validation=VALIDATION)

    outcome = job.run()

    assert outcome.exit_code == 0, outcome.log + outcome.errors
    assert metrics(outcome.log.splitlines()) == metrics(run.lines)
    assert LABELS.findall(outcome.log) == [
        "#label_map train :{'map': {'0': 200, '1': '3', '2': 0}}",
        "#label_map validation :{'scale': '10'}",
    ]
    job.remove()


def test_one_of_two_maps_and_values_it_does_not_name(tmp_path: Path) -> None:
    job = TrainingJob(tmp_path / "ml")
    job.rewrite_masks("train", [200, 3, 7])
    job.add_label_maps(train=TRAIN)

    outcome = job.run(trace_imports=True)

    message = assert_refused(job, outcome)
    assert message.startswith("6 problems in the data: 6 masks with values in no mapping.")
    assert "train_annotation/0.png: The label map gives no label to the pixel value 7 (" in message
    assert LABELS.findall(outcome.log) == [
        "#label_map train :{'map': {'0': 200, '1': '3', '2': 0}}",
        "label maps not provided, using defaults.",
        "#label_map validation :{'scale': 1}",
    ]
    assert not outcome.imported("mxnet")


def test_all_mistakes_in_both_maps_are_named_at_once(tmp_path: Path) -> None:
    job = TrainingJob(tmp_path / "ml")
    job.add_label_maps(
        train='{"scale": 1', validation={"scale": 2, "map": {"0": 0, "1": 0, "3": 300}}
    )

    message = assert_refused(job, job.run())

    assert message.startswith("5 problems in the data: 5 mistakes in label maps.")
    for words in (
        "train_label_map.json: is not valid JSON",
        "validation_label_map.json: scale and map cannot stand together",
        "validation_label_map.json: map: the pixel value 0 is given to label '0' and to label '1'",
        "validation_label_map.json: map: '3' is no label: with num_classes=3, labels are 0..2",
        "validation_label_map.json: map: label '3' has 300; pixel values are 0..255",
    ):
        assert f"\nlabel_map/{words}" in message
