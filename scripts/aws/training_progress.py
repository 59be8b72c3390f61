"""Following a training job: its log, a line for each epoch, a bar on a terminal, and its end."""

from collections.abc import Iterable
from functools import partial
from time import sleep
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from scripts.aws.log_tail import Line, LogTail
from scripts.aws.problems import Failed, Refused
from scripts.aws.services import Aws
from scripts.aws.waiting import Description, left_running, watch
from scripts.training_log import LogReader
from semseg.sagemaker.hyperparameters import defaults

_LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_FIRST_HOST = "algo-1"
_WHY_STOPPED = {
    "MaxRuntimeExceeded": "it took longer than --max-seconds",
    "MaxWaitTimeExceeded": "it took longer than --max-wait-seconds, the wait for capacity included",
    "Interrupted": "its spot capacity was taken away",
    "Stopped": "somebody stopped it",
}


def follow(aws: Aws, name: str, pause: float) -> None:
    """Prints the job's log until it has ended, looking every `pause` seconds.

    Raises Refused if there is no such job, and Failed, with the reason that SageMaker gives, if it
    did not complete.
    """
    sagemaker = aws.client("sagemaker", patient=True)
    log = LogTail(aws.client("logs", patient=True), _LOG_GROUP, f"{name}/")
    describe = partial(sagemaker.describe_training_job, TrainingJobName=name)

    found = aws.find("sagemaker", "describe_training_job", TrainingJobName=name)
    if found is None:
        raise Refused(f"There is no training job {name}, or these credentials may not see it.")
    epochs = found.get("HyperParameters", {}).get("epochs", defaults()["epochs"])
    goes_on = f"training job {name} goes on at AWS; `follow {name}` shows it again."
    with left_running(goes_on), Progress(int(epochs)) as progress:
        for job in watch(describe, "TrainingJobStatus", ("InProgress", "Stopping"), pause):
            progress.stage(job["SecondaryStatus"])
            progress.show(log.new_lines())
        # CloudWatch gets the last lines a little later than SageMaker notices the end.
        sleep(pause)
        progress.show(log.new_lines())
    _tell_end(name, job)


class Progress:
    """The log above, and below it, on a terminal, a bar of epochs with the newest figures."""

    def __init__(self, epochs: int) -> None:
        self._bar: Any = tqdm(total=epochs, unit="epoch", disable=None)
        self._reader = LogReader()
        self._stage = ""
        self._start: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def stage(self, stage: str) -> None:
        """Says what SageMaker is doing, such as Downloading, each time that changes."""
        if stage != self._stage:
            self._stage = stage
            self._bar.set_description(stage)
            tqdm.write(f"SageMaker: {stage}")

    def show(self, lines: Iterable[Line]) -> None:
        """Prints lines, and after those that complete an epoch what it brought."""
        for line in lines:
            if line.host == _FIRST_HOST:
                tqdm.write(line.text)
                self._read(line)
            else:
                tqdm.write(f"{line.host}: {line.text}")

    def _read(self, line: Line) -> None:
        self._start = line.second if self._start is None else self._start
        epoch = self._reader.read(line.text, line.second - self._start)
        if epoch is not None:
            tqdm.write(str(epoch))
            self._bar.set_postfix(loss=epoch.loss, mIOU=epoch.miou, refresh=False)
            self._bar.update(epoch.number + 1 - self._bar.n)


def _tell_end(name: str, job: Description) -> None:
    status, stage = job["TrainingJobStatus"], job["SecondaryStatus"]
    if status == "Failed":
        raise Failed(
            f"The training job {name} failed: {job.get('FailureReason') or 'no reason given'}"
        )
    if status == "Stopped":
        raise Failed(f"The training job {name} was stopped: {_WHY_STOPPED.get(stage, stage)}.")
    print(f"The training job {name} is complete{_billed(job)}.")
    print(f"Model: {job['ModelArtifacts']['S3ModelArtifacts']}")


def _billed(job: Description) -> str:
    trained, billed = job.get("TrainingTimeInSeconds"), job.get("BillableTimeInSeconds")
    if not trained or billed is None:
        return ""
    saved = f", {100 * (1 - billed / trained):.0f} % saved" if billed < trained else ""
    return f": {trained} s of training, {billed} s billed{saved}"
