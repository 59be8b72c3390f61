import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from semseg.sagemaker import metrics

Messages = Callable[[Callable[[], object]], list[str]]

# The API's limits of MetricDefinitions.
MOST_DEFINITIONS, LONGEST_REGEX = 40, 500


def found(definitions: list[dict[str, str]], lines: Iterable[str]) -> dict[str, list[float]]:
    """What SageMaker would find: for each metric the first group of every match."""
    text = "\n".join(lines)
    return {
        definition["Name"]: [float(value) for value in re.findall(definition["Regex"], text)]
        for definition in definitions
    }


def lengths(values: dict[str, list[float]]) -> dict[str, int]:
    """How many values each metric has."""
    return {name: len(series) for name, series in values.items()}


def print_an_epoch(epoch: int, values: dict[str, float]) -> None:
    metrics.train_epoch("algo-1", epoch, values["train:loss"], values["train:throughput"])
    metrics.validation_epoch(
        "algo-1",
        epoch,
        values["validation:pixel_accuracy"],
        values["validation:mIOU"],
        values["validation:throughput"],
    )


PUBLISHED = [
    "train:loss",
    "train:throughput",
    "validation:mIOU",
    "validation:pixel_accuracy",
    "validation:throughput",
]
OF_TEST_DATA = ["test:mIOU", "test:pixel_accuracy", "test:throughput"]


def test_the_definitions_are_the_five_published_metrics_and_those_of_test_data(
    metric_definitions: list[dict[str, str]],
) -> None:
    assert [definition["Name"] for definition in metric_definitions] == PUBLISHED + OF_TEST_DATA
    assert all(set(definition) == {"Name", "Regex"} for definition in metric_definitions)
    assert len(metric_definitions) <= MOST_DEFINITIONS
    assert all(len(definition["Regex"]) <= LONGEST_REGEX for definition in metric_definitions)


def test_the_definitions_match_the_real_log(
    metric_definitions: list[dict[str, str]], real_log: list[str]
) -> None:
    values = found(metric_definitions, real_log)
    assert lengths(values) == dict.fromkeys(PUBLISHED, 10) | dict.fromkeys(OF_TEST_DATA, 0)
    assert values["train:loss"][0] == 1.476599932371915
    assert values["validation:mIOU"][-1] == 0.648291376441075


def test_the_definitions_match_the_older_log(
    metric_definitions: list[dict[str, str]], older_log: list[str]
) -> None:
    values = found(metric_definitions, older_log)
    assert lengths(values) == dict.fromkeys(PUBLISHED, 30) | dict.fromkeys(OF_TEST_DATA, 0)
    assert values["validation:mIOU"][-1] == 0.5301258878893262


def test_the_definitions_match_our_lines(
    metric_definitions: list[dict[str, str]], messages: Messages
) -> None:
    values = {
        "train:loss": 1.5,
        "train:throughput": 48.25,
        "validation:mIOU": 1e-05,
        "validation:pixel_accuracy": 0.75,
        "validation:throughput": 1234.5,
        "test:mIOU": 0.5,
        "test:pixel_accuracy": 0.7,
        "test:throughput": 3.5,
    }

    def job() -> None:
        print_an_epoch(0, values)
        metrics.test_data("algo-1", 0, pixel_accuracy=0.7, miou=0.5, throughput=3.5)

    lines = messages(job)
    assert found(metric_definitions, lines) == {name: [value] for name, value in values.items()}


def test_a_loss_that_is_no_number_is_still_found(
    metric_definitions: list[dict[str, str]], messages: Messages
) -> None:
    lines = messages(lambda: metrics.train_epoch("algo-1", 0, float("nan"), 1.0))
    (loss,) = found(metric_definitions, lines)["train:loss"]
    assert loss != loss


def test_the_lines_of_an_epoch_to_the_character(messages: Messages) -> None:
    def epoch() -> None:
        metrics.progress_notice(0, 20, 49.88612746712299, 1e-4 * (1 - 20 / 910) ** 0.9)
        metrics.progress_notice(0, 20, 42.662842139726195)
        metrics.train_epoch("algo-1", 0, 1.476599932371915, 48.19987923405456)
        metrics.validation_epoch(
            "algo-1", 0, 0.8395615216544335, 0.5123897153622079, 42.07679863646544
        )
        metrics.progress("algo-1", 0, 10)

    assert messages(epoch) == [
        "#progress_notice. epoch: 0, iterations: 20 speed: 49.88612746712299 samples/sec"
        " learning_rate: 0.000098",
        "#progress_notice. epoch: 0, iterations: 20 speed: 42.662842139726195 samples/sec",
        "#quality_metric. host: algo-1, epoch: 0, train loss: 1.476599932371915 .",
        "#throughput_metric. host: algo-1, epoch: 0, train throughput: 48.19987923405456"
        " samples/sec.",
        "#quality_metric. host: algo-1, epoch: 0, validation pixel_accuracy: 0.8395615216544335 .",
        "#quality_metric. host: algo-1, epoch: 0, validation mIOU: 0.5123897153622079 .",
        "#throughput_metric. host: algo-1, epoch: 0, validation throughput: 42.07679863646544"
        " samples/sec.",
        "#progress_metric: host=algo-1, completed 10.0 % of epochs",
    ]


def test_the_lines_of_test_data_have_the_form_of_those_of_validation(messages: Messages) -> None:
    assert messages(lambda: metrics.test_data("algo-1", 9, 0.8, 0.5, 42.0)) == [
        "#quality_metric. host: algo-1, epoch: 9, test pixel_accuracy: 0.8 .",
        "#quality_metric. host: algo-1, epoch: 9, test mIOU: 0.5 .",
        "#throughput_metric. host: algo-1, epoch: 9, test throughput: 42.0 samples/sec.",
    ]


def test_the_metrics_line_has_no_prefix_and_the_originals_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    metrics.job_summary("algo-1", 10, 13.821125030517578, 684147.8126049042, 1.5, 2.5)
    assert capsys.readouterr().out == (
        '#metrics {"StartTime": 1.5, "EndTime": 2.5, "Dimensions": {"Algorithm":'
        ' "AWS/Semantic Segmentation", "Host": "algo-1", "Operation": "training"}, "Metrics":'
        ' {"epochs": {"sum": 10.0, "count": 1, "min": 10, "max": 10}, "setuptime": {"sum":'
        ' 13.821125030517578, "count": 1, "min": 13.821125030517578, "max": 13.821125030517578},'
        ' "totaltime": {"sum": 684147.8126049042, "count": 1, "min": 684147.8126049042, "max":'
        " 684147.8126049042}}}\n"
    )


def test_every_metric_line_of_the_real_log_can_be_printed_to_the_character(
    real_log: list[str], messages: Messages
) -> None:
    """The values of the real log, put into our functions, give the real log again."""
    original = [line.partition("] ")[2] if line[0] == "[" else line for line in real_log]
    original = [line for line in original if line.startswith("#") and "#label_map" not in line]
    assert messages(lambda: replay("\n".join(original))) == original


NOTICE = r"#progress_notice\. epoch: (\d+), iterations: (\d+) speed: (\S+) samples/sec"
LINES = re.compile(
    rf"{NOTICE} learning_rate: (?P<training>\S+)|{NOTICE}(?P<validation>)"
    r"|#quality_metric.* epoch: (\d+), train loss: (\S+) .\n"
    r".* train throughput: (\S+) samples/sec.(?P<train_epoch>)"
    r"|#quality_metric.* epoch: (\d+), validation pixel_accuracy: (\S+) .\n"
    r".* validation mIOU: (\S+) .\n.* validation throughput: (\S+) sam.*(?P<validation_epoch>)"
    r"|#progress_metric.* completed (\S+) %.*(?P<progress>)"
    r"|#metrics (?P<metrics>.*)"
)


def replay(text: str) -> None:
    """Calls the function behind each line of `text` with the values of the line."""
    for match in LINES.finditer(text):
        values = [json.loads(value) for value in match.groups() if value and value[0] != "{"]
        match match.lastgroup:
            case "training" | "validation":
                metrics.progress_notice(*values)
            case "train_epoch":
                metrics.train_epoch("algo-1", *values)
            case "validation_epoch":
                metrics.validation_epoch("algo-1", *values)
            case "progress":
                metrics.progress("algo-1", round(values[0] / 10) - 1, 10)
            case _:
                replay_metrics(json.loads(match["metrics"]))


def replay_metrics(document: dict[str, Any]) -> None:
    start, end = document["StartTime"], document["EndTime"]
    match document["Dimensions"].get("Meta"):
        case "init_train_data_iter":
            metrics.init_data_iterator("algo-1", start, end)
        case "training_data_iter":
            metrics.epoch_data_iterator("algo-1", document["Dimensions"]["epoch"], start, end)
        case _:
            epochs, setup, total = (metric["max"] for metric in document["Metrics"].values())
            metrics.job_summary("algo-1", epochs, setup, total, start, end)
