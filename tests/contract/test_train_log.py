"""The log of a `train` that succeeds, line by line beside one of the original's."""

import json
import re
from itertools import groupby

import pytest

from tests.contract.training_job import PREFIX, Run

pytestmark = pytest.mark.slow


def test_every_prefix_has_the_original_form(run: Run):
    prefixed = [line for line in run.lines if line.startswith("[")]

    assert len(prefixed) > 40
    assert [line for line in prefixed if not PREFIX.match(line)] == []


def test_only_known_lines_lack_the_prefix(run: Run):
    plain = [line for line in run.lines if not line.startswith(("[", "#metrics {"))]

    assert plain[:-1] == [
        "Docker entrypoint called with argument(s): train",
        "Running default environment configuration script",
        "Running custom environment configuration script",
    ]
    assert re.fullmatch(r"Process \d+ is a worker\.", plain[-1])


# What comes before the first epoch, after the last, and in each; `<int>` and `<float>` are numbers.
START = """\
Running default environment configuration script
Running custom environment configuration script
INFO Reading default configuration from default-input.json: {...}
INFO Merging with provided configuration from /opt/ml/input/config/hyperparameters.json: {...}
INFO Final configuration: {...}
Process <int> is a worker.
INFO Using default worker.
INFO Loaded iterator creator application/json for content type ('application/json', '<float>')
INFO Loaded iterator creator application/x-image for content type ('application/x-image', '<float>')
INFO Loaded iterator creator application/x-recordio for content type \
('application/x-recordio', '<float>')
INFO Loaded iterator creator image/jpeg for content type ('image/jpeg', '<float>')
INFO Loaded iterator creator image/png for content type ('image/png', '<float>')
INFO Checkpoint loading and saving are disabled.
WARNING /opt/ml/input/data/train/train_annotation is not a readable image file
WARNING label maps not provided, using defaults.
INFO #label_map train :{'scale': <int>}
WARNING /opt/ml/input/data/validation/validation_annotation is not a readable image file
WARNING label maps not provided, using defaults.
INFO #label_map validation :{'scale': <int>}
INFO nvidia-smi: took <float> seconds to run.
INFO nvidia-smi identified <int> GPUs.
INFO Number of GPUs being used: <int>
INFO Number of GPUs being used: <int>
INFO Number of GPUs being used: <int>
INFO LRScheduler setup: iters per epoch: <int>, num_epochs <int>
#metrics init_train_data_iter
""".splitlines()

EPOCH = """\
INFO #progress_notice. epoch: <int>, iterations: <int> speed: <float> samples/sec \
learning_rate: <float>
INFO #quality_metric. host: algo-1, epoch: <int>, train loss: <float> .
INFO #throughput_metric. host: algo-1, epoch: <int>, train throughput: <float> samples/sec.
INFO #progress_notice. epoch: <int>, iterations: <int> speed: <float> samples/sec
INFO #quality_metric. host: algo-1, epoch: <int>, validation pixel_accuracy: <float> .
INFO #quality_metric. host: algo-1, epoch: <int>, validation mIOU: <float> .
INFO #throughput_metric. host: algo-1, epoch: <int>, validation throughput: <float> samples/sec.
INFO Serializing model to /opt/ml/model/model_best.params
INFO #progress_metric: host=algo-1, completed <float> % of epochs
#metrics training_data_iter
""".splitlines()

END = """\
WARNING wait_for_all_workers will not sync workers since the kv store is not running distributed
INFO Serializing model to /opt/ml/model/model_algo-1
INFO Test data is not provided.
#metrics None
""".splitlines()

SAVING = "INFO Serializing model to /opt/ml/model/model_best.params"
SAVED_TWICE = [line for line in EPOCH for _ in range(2 if line == SAVING else 1)]
NOT_SAVED = [line for line in EPOCH if line != SAVING]


def kind(line: str) -> str:
    """A line without its numbers, its time and what differs between two jobs."""
    if line.startswith("#metrics "):
        return f"#metrics {json.loads(line[9:])['Dimensions'].get('Meta')}"
    line = PREFIX.sub(r"\1 ", line)
    line = re.sub(r"(configuration.*): \{.*\}$", r"\1: {...}", line)
    line = re.sub(r"\S*/default-input\.json", "default-input.json", line)
    line = re.sub(r"(?<!algo-)\b\d+(\.\d+)(e-?\d+)?\b", "<float>", line)
    return re.sub(r"(?<![-\w])\d+\b", "<int>", line)


def kinds(lines: list[str]) -> list[str]:
    """The kinds of lines in their order; any number of progress notices in a row count once."""
    impossible_here = ("font", "storage.cc", "Docker entrypoint")
    found = [kind(line) for line in lines if not any(part in line for part in impossible_here)]
    rows = [(name, list(row)) for name, row in groupby(found)]
    return [line for name, row in rows for line in ([name] if "notice" in name else row)]


def epochs_of(found: list[str]) -> list[list[str]]:
    """The kinds of lines of each epoch."""
    epochs: list[list[str]] = [[]]
    for line in found[len(START) : -len(END)]:
        epochs[-1].append(line)
        if line == EPOCH[-1]:
            epochs.append([])
    assert epochs.pop() == []
    return epochs


def test_lines_come_in_the_order_of_the_original(run: Run):
    found = kinds(run.lines)
    first, second = epochs_of(found)

    assert found[: len(START)] == START
    assert first == SAVED_TWICE
    assert second in (EPOCH, NOT_SAVED)
    assert found[-len(END) :] == END


def test_a_real_log_has_the_same_lines_in_the_same_order(real_log: list[str]):
    """That what the test above expects is what the original prints."""
    found = kinds(real_log)
    first, *others = epochs_of(found)

    assert found[: len(START)] == START
    assert first == SAVED_TWICE
    assert len(others) == 9
    assert all(epoch in (EPOCH, NOT_SAVED) for epoch in others)
    assert found[-len(END) :] == END


def test_metrics_documents_have_the_form_of_a_real_log(run: Run, real_log: list[str]):
    def forms(lines: list[str]) -> set[str]:
        documents = [line for line in lines if line.startswith("#metrics ")]
        as_floats = [re.sub(r"\d+\.\d+", "<float>", document) for document in documents]
        return {re.sub(r": \d+", ": <int>", document) for document in as_floats}

    assert forms(run.lines) == forms(real_log)


def test_the_default_configuration_is_that_of_a_real_log(run: Run, real_log: list[str]):
    def default(lines: list[str]) -> str:
        [line] = [line for line in lines if "Reading default configuration" in line]
        return line.split("default-input.json: ")[1]

    assert default(run.lines) == default(real_log)
