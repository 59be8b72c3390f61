import io
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.sagemaker.models import sagemaker_backends

from scripts.aws import training_progress, waiting
from scripts.aws.log_tail import Line
from scripts.aws.training_progress import Progress
from tests.scripts.aws.account import ACCOUNT, REGION

GROUP = "/aws/sagemaker/TrainingJobs"
PREFIX = "[01/12/2025 06:05:08 INFO 140168011298624] #quality_metric. host: algo-1, epoch:"


def epoch_lines(epoch: int) -> list[str]:
    return [
        f"{PREFIX} {epoch}, train loss: {1.5 - epoch / 10} .",
        f"{PREFIX} {epoch}, validation pixel_accuracy: 0.75 .",
        f"{PREFIX} {epoch}, validation mIOU: {0.5 + epoch / 10} .",
    ]


class Stage:
    """A training job in moto, whose log and status a test moves forward."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._logs = client("logs")
        self._minute = 0
        # CloudWatch takes no lines that are older than two weeks.
        self._start = int(time.time()) * 1000 - 3_600_000
        self.job = sagemaker_backends[ACCOUNT][REGION].training_jobs["horses-1"]
        self.becomes("InProgress", "Starting")

    def becomes(self, status: str, secondary: str, **more: Any) -> None:
        self.job.training_job_status, self.job.secondary_status = status, secondary
        for name, value in more.items():
            setattr(self.job, name, value)

    def opens_log(self, host: str) -> None:
        if not self._logs.describe_log_groups()["logGroups"]:
            self._logs.create_log_group(logGroupName=GROUP)
        self._logs.create_log_stream(logGroupName=GROUP, logStreamName=f"horses-1/{host}-17")

    def says(self, *lines: str, host: str = "algo-1") -> None:
        self._minute += 1
        now = self._start + 60_000 * self._minute
        self._logs.put_log_events(
            logGroupName=GROUP,
            logStreamName=f"horses-1/{host}-17",
            logEvents=[{"timestamp": now, "message": line} for line in lines],
        )


@pytest.fixture
def stage(account, aws, job) -> Stage:
    assert aws("train", "horses-1", *job, "--no-wait").code == 0
    return Stage(account)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterator[None]], None]:
    """Each time that the command pauses, the next part of a scene is played."""

    def play(scene: Iterator[None]) -> None:
        for module in (waiting, training_progress):
            monkeypatch.setattr(module, "sleep", lambda seconds: next(scene, None))

    return play


def test_log_and_epochs_are_shown_as_they_come(stage, play, aws):
    def scene() -> Iterator[None]:
        yield  # there is no log yet
        stage.becomes("InProgress", "Training")
        stage.opens_log("algo-1")
        stage.says("Docker entrypoint called with argument(s): train")
        yield
        stage.says(*epoch_lines(0))
        yield
        stage.says(*epoch_lines(1))
        stage.becomes("Completed", "Completed")
        yield
        stage.says("the last line comes after the end")
        yield

    play(scene())
    outcome = aws("follow", "horses-1")

    assert (outcome.code, outcome.err) == (0, "")
    shown = outcome.out.splitlines()
    assert shown == [
        "SageMaker: Starting",
        "SageMaker: Training",
        "Docker entrypoint called with argument(s): train",
        *epoch_lines(0),
        "epoch 1: train loss 1.500, validation pixel accuracy 0.750, mIOU 0.500 (60 s)",
        "SageMaker: Completed",
        *epoch_lines(1),
        "epoch 2: train loss 1.400, validation pixel accuracy 0.750, mIOU 0.600 (120 s)",
        "the last line comes after the end",
        "The training job horses-1 is complete.",
        "Model: s3://bucket/jobs/horses-1/output/model.tar.gz",
    ]


def test_other_hosts_lines_are_marked_and_counted_once(stage, play, aws):
    stage.opens_log("algo-1")
    stage.opens_log("algo-2")
    stage.says(*epoch_lines(0))
    stage.says(*epoch_lines(0), host="algo-2")
    stage.becomes("Completed", "Completed")

    outcome = aws("follow", "horses-1", "--pause", "0.01")

    assert f"algo-2: {epoch_lines(0)[0]}" in outcome.out
    assert len(re.findall("(?m)^epoch 1:", outcome.out)) == 1


def test_money_saved_by_spot_capacity(stage, aws):
    stage.becomes(
        "Completed", "Completed", training_time_in_seconds=1200, billable_time_in_seconds=360
    )
    outcome = aws("follow", "horses-1", "--pause", "0.01")

    assert "is complete: 1200 s of training, 360 s billed, 70 % saved." in outcome.out


def test_why_a_job_failed(stage, play, aws):
    reason = "AlgorithmError: hyperparameters.json: 1 problem (epochs), exit code: 2"

    def scene() -> Iterator[None]:
        stage.becomes("Failed", "Failed", failure_reason=reason)
        yield

    play(scene())
    outcome = aws("follow", "horses-1")

    assert outcome.code == 1
    assert outcome.err == f"The training job horses-1 failed: {reason}\n"


@pytest.mark.parametrize(
    ("secondary", "sentence"),
    [
        ("MaxRuntimeExceeded", "was stopped: it took longer than --max-seconds."),
        ("MaxWaitTimeExceeded", "was stopped: it took longer than --max-wait-seconds"),
        ("Stopped", "was stopped: somebody stopped it."),
    ],
)
def test_why_a_job_was_stopped(stage, aws, secondary, sentence):
    stage.becomes("Stopped", secondary)
    outcome = aws("follow", "horses-1", "--pause", "0.01")

    assert outcome.code == 1
    assert sentence in outcome.err


def test_no_such_job(account, aws):
    outcome = aws("follow", "zebras-1")

    assert outcome.code == 2
    assert outcome.err.startswith("There is no training job zebras-1")


def test_who_interrupts_is_told_that_the_job_goes_on(stage, play, aws):
    def scene() -> Iterator[None]:
        raise KeyboardInterrupt
        yield

    play(scene())
    outcome = aws("follow", "horses-1")

    assert outcome.code == 130
    assert "training job horses-1 goes on at AWS; `follow horses-1` shows it again." in outcome.out


def test_a_lost_connection_is_told_with_what_goes_on(stage, play, aws, monkeypatch):
    from botocore.exceptions import EndpointConnectionError

    def scene() -> Iterator[None]:
        raise EndpointConnectionError(endpoint_url="https://api.sagemaker")
        yield

    play(scene())
    outcome = aws("follow", "horses-1")

    assert outcome.code == 1
    assert outcome.err.startswith("AWS cannot be reached: ")
    assert "The training job horses-1 goes on at AWS" in outcome.err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_counts_epochs_and_shows_the_newest_figures(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Progress(epochs=4) as progress:
        progress.stage("Training")
        lines = [text for epoch in range(3) for text in epoch_lines(epoch)]
        progress.show(Line("algo-1", second, text) for second, text in enumerate(lines))
        progress.show([])

    drawn = terminal.getvalue().rpartition("\r")[2]
    assert "Training:  75%" in drawn
    assert "3/4" in drawn
    assert "loss=1.3, mIOU=0.7" in drawn
