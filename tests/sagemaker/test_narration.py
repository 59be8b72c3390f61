import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from semseg.sagemaker import narration
from semseg.sagemaker.job import Job, read_job
from semseg.sagemaker.resources import CheckpointPlace
from semseg.sagemaker.tree import Tree

Messages = Callable[[Callable[[], object]], list[str]]
Printed = Messages

# The fixed lines of the real log of January 2025, in its order. Its own first line was not saved.
AT_THE_START = [
    "Docker entrypoint called with argument(s): train",
    "Running default environment configuration script",
    "Running custom environment configuration script",
]
ONCE_READ = [
    "Process 13 is a worker.",
    "Using default worker.",
    "Loaded iterator creator application/json for content type ('application/json', '1.0')",
    "Loaded iterator creator application/x-image for content type ('application/x-image', '1.0')",
    "Loaded iterator creator application/x-recordio for content type"
    " ('application/x-recordio', '1.0')",
    "Loaded iterator creator image/jpeg for content type ('image/jpeg', '1.0')",
    "Loaded iterator creator image/png for content type ('image/png', '1.0')",
    "Checkpoint loading and saving are disabled.",
    "label maps not provided, using defaults.",
    "#label_map train :{'scale': 1}",
    "label maps not provided, using defaults.",
    "#label_map validation :{'scale': 1}",
]
BEFORE_TRAINING = [
    "nvidia-smi: took 0.059 seconds to run.",
    "nvidia-smi identified 1 GPUs.",
    "Number of GPUs being used: 1",
    "Number of GPUs being used: 1",
    "Number of GPUs being used: 1",
    "LRScheduler setup: iters per epoch: 91, num_epochs 10",
]
AT_THE_END = [
    "wait_for_all_workers will not sync workers since the kv store is not running distributed",
    "Serializing model to /opt/ml/model/model_algo-1",
    "Test data is not provided.",
]


@pytest.fixture
def job(
    tree: Tree,
    write_config: Callable[[str, Any], Path],
    channel_settings: dict[str, dict[str, str]],
) -> Job:
    write_config("hyperparameters.json", {"num_classes": "2", "num_training_samples": "8"})
    write_config("inputdataconfig.json", channel_settings)
    return read_job(tree)


def tell(job: Job) -> None:
    narration.entrypoint_called("train")
    narration.job_read(job)
    narration.default_label_map("train")
    narration.default_label_map("validation")
    narration.gpus_found(1, 1, 0.0589)
    narration.schedule_set_up(91, 10)
    narration.workers_not_synchronized()
    narration.serializing(Path("/opt/ml/model/model_algo-1"))
    narration.test_data_not_provided()


def test_the_story_to_the_character(
    job: Job, messages: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 13)
    lines = messages(lambda: tell(job))
    assert lines == AT_THE_START + ONCE_READ + BEFORE_TRAINING + AT_THE_END


def test_the_real_log_tells_the_same_story(real_log: list[str]) -> None:
    theirs = [line.partition("] ")[2] if line[0] == "[" else line for line in real_log]
    ours = AT_THE_START[1:] + ONCE_READ + BEFORE_TRAINING + AT_THE_END
    assert [line for line in theirs if line in ours] == ours


def test_levels_and_prefixes_are_those_of_the_real_log(
    job: Job, real_log: list[str], printed: Printed
) -> None:
    def levels(lines: list[str]) -> dict[str, str | None]:
        pattern = re.compile(r"(?:\[\S+ \S+ ([A-Z]+) \d+\] )?(.*)")
        matches = filter(None, map(pattern.fullmatch, lines))
        return {re.sub(r"^Process \d+", "Process", match[2]): match[1] for match in matches}

    ours = levels(printed(lambda: tell(job)))
    theirs = levels(real_log)
    del ours[AT_THE_START[0]]
    assert ours == {line: theirs[line] for line in ours}


def test_with_a_place_for_checkpoints_they_are_not_disabled(
    job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        narration.job_read(replace(job, checkpoints=CheckpointPlace(Path("/ckpt"))))
    assert "Checkpoints are loaded from /ckpt and saved to it." in caplog.messages
    assert "disabled" not in caplog.text


def test_a_resumed_job_says_from_what_and_a_stopped_one_where(messages: Messages) -> None:
    assert messages(lambda: narration.resumed(Path("/ckpt/c.zip"), 3, 0)) == [
        "Resuming from /ckpt/c.zip: epochs done: 3"
    ]
    assert messages(lambda: narration.resumed(Path("/ckpt/c.zip"), 3, 40)) == [
        "Resuming from /ckpt/c.zip: epochs done: 3",
        "Iterations done of epoch 3: 40",
    ]
    assert messages(lambda: narration.stopped(3, 41)) == ["Stopped in epoch 3 after 41 iterations."]


def test_int8_is_told_with_both_scores(messages: Messages) -> None:
    (line,) = messages(lambda: narration.quantized(Path("model/int8_thresholds.json"), 0.8, 0.75))
    assert line == (
        "Thresholds for int8 are in model/int8_thresholds.json. "
        "Validation mIOU: 0.75 in int8, 0.8 in float32."
    )
    (line,) = messages(lambda: narration.not_quantized("no reason"))
    assert "int8: no reason. `semseg quantize` makes them." in line


def test_a_label_map_is_printed_as_the_job_brings_it(printed: Printed) -> None:
    lines = printed(lambda: narration.label_map("validation", {"map": {"0": 5, "1": "0"}}))
    (line,) = lines
    assert line.split("] ") == [
        line.split("] ")[0],
        "#label_map validation :{'map': {'0': 5, '1': '0'}}",
    ]
    assert " INFO " in line


def test_without_a_label_map_the_defaults_are_named(messages: Messages) -> None:
    assert messages(lambda: narration.label_map("train", None)) == [
        "label maps not provided, using defaults.",
        "#label_map train :{'scale': 1}",
    ]


def test_an_early_stop_says_when_and_what_was_best(messages: Messages) -> None:
    assert messages(lambda: narration.stopped_early(7, 0.625)) == [
        "Early stopping at epoch 7. Best validation mIOU: 0.625"
    ]
