import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.training_log import Epoch, LogReader, metric_definitions

PREFIX = "[01/12/2025 06:05:08 INFO 140168011298624] #quality_metric. host: algo-1, epoch: 2,"


def test_an_epoch_is_complete_once_its_miou_is_there() -> None:
    reader = LogReader()
    assert reader.read(f"{PREFIX} train loss: 1.5 .", 1) is None
    assert reader.read("anything else", 2) is None
    assert reader.read(f"{PREFIX} validation pixel_accuracy: 0.75 .", 3) is None
    assert reader.read(f"{PREFIX} validation mIOU: 5e-1 .", 4) == Epoch(2, 1.5, 0.75, 0.5, 4)


def test_a_log_that_begins_in_the_middle_of_an_epoch_is_no_error() -> None:
    assert "train loss nan" in str(LogReader().read(f"{PREFIX} validation mIOU: 0.5 .", 4))


def test_the_validation_of_a_seed_model_is_no_epoch() -> None:
    reader = LogReader()
    lines = [
        "Validating the seed model /opt/ml/input/data/model/model.tar.gz before the first epoch."
    ]
    lines += [f"{PREFIX} validation pixel_accuracy: 0.9 .", f"{PREFIX} validation mIOU: 0.8 ."]
    assert [reader.read(line, 1) for line in lines] == [None, None, None]
    assert reader.read(f"{PREFIX} train loss: 1.5 .", 2) is None
    assert reader.read(f"{PREFIX} validation mIOU: 0.5 .", 3) == Epoch(2, 1.5, 0.9, 0.5, 3)


def test_the_regular_expressions_stand_in_the_configuration_only(project: Path) -> None:
    definitions = json.loads((project / "configs/metric-definitions.json").read_text())
    assert metric_definitions() == definitions
    scripts = "".join(file.read_text() for file in (project / "scripts").rglob("*.py"))
    assert not re.search(r"#(quality|throughput)_metric", scripts)


@pytest.mark.parametrize("log", ["voc-fcn50-rmsprop-10-epochs", "voc-fcn50-sgd-30-epochs"])
def test_the_epochs_of_a_log_of_the_original(shared: Callable[[str], Path], log: str) -> None:
    reader = LogReader()
    lines = shared(f"logs/{log}.txt").read_text().splitlines()
    epochs = [epoch for line in lines if (epoch := reader.read(line, 0)) is not None]
    assert [epoch.number for epoch in epochs] == list(range(int(log.split("-")[-2])))
    assert all(0 < epoch.miou < epoch.pixel_accuracy < 1 < epoch.loss + 1 for epoch in epochs)
