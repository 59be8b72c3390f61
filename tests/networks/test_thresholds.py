import json
from pathlib import Path
from typing import Any

import pytest

from semseg.networks.architecture import Architecture
from semseg.networks.artifact import BEST, Artifact
from semseg.networks.thresholds import (
    THRESHOLDS,
    Report,
    Scores,
    Thresholds,
    fingerprint,
    read_thresholds,
    write_thresholds,
)
from semseg.sagemaker.errors import CustomerError


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    """What is looked at of an artifact here: a file with some bytes."""
    (tmp_path / BEST).write_bytes(b"weights")
    return Artifact(Architecture("fcn", "resnet-50", 3), tmp_path / BEST, {})


@pytest.fixture
def thresholds(artifact: Artifact) -> Thresholds:
    ranges = {"data": (-2.1179039478302, 2.6399998664855957), "conv0_output": (0.0, 34.5)}
    report = Report(
        images=50,
        float32=Scores(miou=0.77, pixel_accuracy=0.895),
        int8=Scores(miou=0.7688, pixel_accuracy=0.894),
        same_class=0.9971,
    )
    return Thresholds(
        parameters_sha256=fingerprint(artifact.parameters), images=32, report=report, ranges=ranges
    )


def complaint(artifact: Artifact) -> str:
    with pytest.raises(CustomerError) as raised:
        read_thresholds(artifact)
    return str(raised.value)


def test_what_was_written_is_read_to_the_last_bit(
    artifact: Artifact, thresholds: Thresholds
) -> None:
    folder = artifact.parameters.parent
    assert write_thresholds(folder, thresholds) == folder / THRESHOLDS
    assert read_thresholds(artifact) == thresholds
    write_thresholds(folder, thresholds.model_copy(update={"report": None}))
    assert read_thresholds(artifact).report is None
    assert sorted(path.name for path in folder.iterdir()) == [THRESHOLDS, BEST]


def test_the_report_can_be_read_without_this_program(
    artifact: Artifact, thresholds: Thresholds
) -> None:
    content = json.loads(write_thresholds(artifact.parameters.parent, thresholds).read_text())
    assert content["report"] == {
        "images": 50,
        "float32": {"miou": 0.77, "pixel_accuracy": 0.895},
        "int8": {"miou": 0.7688, "pixel_accuracy": 0.894},
        "same_class": 0.9971,
    }


def test_who_has_none_is_told_of_the_command_that_makes_them(artifact: Artifact) -> None:
    said = complaint(artifact)
    assert f"no {THRESHOLDS} beside {artifact.parameters}" in said
    assert "semseg quantize" in said


def test_those_of_other_parameters_are_refused(artifact: Artifact, thresholds: Thresholds) -> None:
    write_thresholds(artifact.parameters.parent, thresholds)
    artifact.parameters.write_bytes(b"weights of the next job")
    assert "made for other parameters" in complaint(artifact)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"ranges": {"data": [1.0, -1.0]}},
        {"ranges": {"data": [0.0, float("inf")]}},
        {"ranges": {"data": [0.0]}},
        {"ranges": ["data"]},
        {"images": None},
        {"report": {"images": 3}},
    ],
)
def test_a_damaged_file_is_refused(
    artifact: Artifact, thresholds: Thresholds, changes: dict[str, Any]
) -> None:
    path = write_thresholds(artifact.parameters.parent, thresholds)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    said = complaint(artifact)
    assert str(path) in said
    assert "semseg quantize" in said


def test_a_file_that_is_cut_short_is_refused(artifact: Artifact, thresholds: Thresholds) -> None:
    path = write_thresholds(artifact.parameters.parent, thresholds)
    path.write_text(path.read_text()[:-20])
    assert THRESHOLDS in complaint(artifact)
