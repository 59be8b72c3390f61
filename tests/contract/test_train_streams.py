"""What a `train` does with RecordIO: through pipes, as SageMaker makes them, and from files."""

import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from semseg.sagemaker.recordio import frame, split_frame
from tests.contract.test_train_log import END, EPOCH, NOT_SAVED, SAVED_TWICE, START, kinds
from tests.contract.training_job import EPOCHS, PREFIX, Run, TrainingJob
from tests.data.pipe import Pipe
from tests.data.records import image, mask

pytestmark = pytest.mark.slow

PIPE = {
    "ContentType": "application/x-recordio",
    "TrainingInputMode": "Pipe",
    "RecordWrapperType": "RecordIO",
    "S3DistributionType": "FullyReplicated",
}
PARTS = ("train", "validation")
LABEL_MAP = {"map": {"0": 200, "1": "3", "2": 0}}


def take_payloads(job: TrainingJob, part: str) -> list[bytes]:
    """Image and mask by turns of what the part's folders hold, which are then gone."""
    payloads = []
    for picture in sorted(job.channel(part).iterdir()):
        labels = job.channel(f"{part}_annotation") / f"{picture.stem}.png"
        payloads += [picture.read_bytes(), labels.read_bytes()]
    for name in (part, f"{part}_annotation"):
        shutil.rmtree(job.channel(name))
    return payloads


def records(payloads: list[bytes]) -> bytes:
    return b"".join(map(frame, payloads))


def piped(
    base: Path,
    epochs_sent: int,
    training_values: tuple[int, ...] = (),
    **hyperparameters: str,
) -> tuple[TrainingJob, list[Pipe]]:
    """A job whose images come through pipes, and so many times at most.

    `training_values` are the pixel values of the labels 0, 1, 2 ... in training masks.
    """
    job = TrainingJob(base, **hyperparameters)
    job.rewrite_masks("train", training_values)
    job.configure("inputdataconfig", dict.fromkeys(PARTS, PIPE))
    contents = {part: [records(take_payloads(job, part))] * epochs_sent for part in PARTS}
    return job, [Pipe(job.channel(part), contents[part]) for part in PARTS]


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, list[Pipe]]]:
    """Two epochs through pipes, of which three are sent, with a label map that comes as a file.

    Without it, the training masks would be refused: two of their values are no labels.
    """
    base = tmp_path_factory.mktemp("streamed") / "ml"
    job, pipes = piped(base, EPOCHS + 1, training_values=(200, 3, 0), epochs=str(EPOCHS))
    job.add_label_maps(train=LABEL_MAP)
    yield Run(job, job.run()), pipes
    job.remove()


def test_it_succeeds_and_leaves_the_three_files(streamed: tuple[Run, list[Pipe]]):
    run, _ = streamed
    assert run.outcome.exit_code == 0, run.outcome.log + run.outcome.errors
    assert run.outcome.failure is None
    assert run.job.model_files() == {"model_algo-1", "model_best.params", "hyperparams.json"}


def test_the_log_has_the_lines_of_a_job_on_files(streamed: tuple[Run, list[Pipe]]):
    def others(lines: list[str]) -> list[str]:
        return [line for line in lines if not re.search("readable|label.map", line)]

    run, _ = streamed
    found = others(kinds(run.lines))
    start = others(START)
    epochs = found[len(start) : -len(END)]
    assert found[: len(start)] == start
    assert epochs[: len(SAVED_TWICE)] == SAVED_TWICE
    assert epochs[len(SAVED_TWICE) :] in (EPOCH, NOT_SAVED)
    assert found[-len(END) :] == END


def test_a_label_map_comes_as_a_file_next_to_pipes(streamed: tuple[Run, list[Pipe]]):
    found = [PREFIX.sub(r"\1 ", line) for line in streamed[0].lines if "label" in line]
    assert found == [
        "INFO #label_map train :{'map': {'0': 200, '1': '3', '2': 0}}",
        "WARNING label maps not provided, using defaults.",
        "INFO #label_map validation :{'scale': 1}",
    ]


def test_every_image_of_every_epoch_is_used(streamed: tuple[Run, list[Pipe]]):
    """Six images in batches of two to train on, three to validate with."""
    log = streamed[0].outcome.log
    training = re.findall(r"epoch: (\d), iterations: (\d) speed: \S+ samples/sec learning", log)
    validation = re.findall(r"epoch: (\d), iterations: (\d) speed: \S+ samples/sec$", log, re.M)
    assert training == [(epoch, n) for epoch in "01" for n in "123"]
    assert validation == [(epoch, n) for epoch in "01" for n in "12"]
    warnings = [line for line in log.splitlines() if " WARNING " in line]
    assert not [line for line in warnings if "num_training_samples" in line]


def test_a_writer_of_an_epoch_too_many_keeps_nobody_waiting(streamed: tuple[Run, list[Pipe]]):
    """SageMaker makes the next FIFO as soon as one is read; nobody opens the last."""
    for pipe in streamed[1]:
        assert pipe.fifo(EPOCHS).exists()
        assert pipe.written == sum(map(len, pipe.contents[:EPOCHS]))
        assert pipe.closed_early == 0


def test_record_files_give_the_model_that_files_give(run: Run, tmp_path: Path):
    """The same pairs with the same seed: the same bytes."""
    job = TrainingJob(tmp_path / "ml", epochs=str(EPOCHS))
    job.configure("inputdataconfig", {part: {"TrainingInputMode": "File"} for part in PARTS})
    for part in PARTS:
        payloads = take_payloads(job, part)
        job.channel(part).mkdir()
        for number in range(0, len(payloads), 4):
            content = b"".join(map(split_frame, payloads[number : number + 4]))
            (job.channel(part) / f"{number}.rec").write_bytes(content)

    outcome = job.run()

    assert outcome.exit_code == 0, outcome.log + outcome.errors
    for name in ("model_algo-1", "model_best.params"):
        assert (job.model / name).read_bytes() == (run.job.model / name).read_bytes()
    job.remove()


def test_a_stream_that_breaks_in_its_second_epoch(tmp_path: Path):
    job = TrainingJob(tmp_path / "ml", epochs="3")
    job.configure("inputdataconfig", dict.fromkeys(PARTS, PIPE))
    training, validation = (take_payloads(job, part) for part in PARTS)
    broken = [*training[:6], image(), mask(7), *training[8:]]
    Pipe(job.channel("train"), [records(training), records(broken)])
    Pipe(job.channel("validation"), [records(validation)] * 3)

    outcome = job.run()

    assert outcome.exit_code == 2, outcome.log + outcome.errors
    assert outcome.failure == (
        "1 problem in the data: 1 mask with labels >= num_classes.\n"
        "A stream cannot be checked before it is used. Before this came 1 whole epoch and 7 records"
        " of the next.\n"
        f"train_1, record 7 at byte {len(records(broken[:7]))}: label 7 (384 pixels): with"
        " num_classes=3, labels are 0..2, or 255 to ignore."
    )
    assert f"Customer Error: {outcome.failure}" in outcome.log
    assert "Traceback" not in outcome.log + outcome.errors
    assert "model_best.params" in job.model_files()
    job.remove()


def test_a_fifo_that_nobody_opens_ends_the_job_as_the_platforms_fault(tmp_path: Path):
    job, _ = piped(tmp_path / "ml", epochs_sent=0)

    outcome = job.run(SEMSEG_PIPE_SECONDS="1")

    assert outcome.exit_code == 3, outcome.log + outcome.errors
    assert outcome.failure == (
        "SageMaker's pipe of the channel train timed out:"
        f" {job.channel('train_0')} has not appeared for 1 seconds. Before that came nothing."
    )
    assert f"Platform Error: {outcome.failure}" in outcome.log


def test_sigterm_is_heard_by_a_job_that_waits_for_a_fifo(tmp_path: Path):
    job, _ = piped(tmp_path / "ml", epochs_sent=0)

    with job.start() as process:
        for line in process.stdout:
            if "init_train_data_iter" in line:
                break
        sent = time.monotonic()
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate()

    assert process.returncode == 0, rest + errors
    assert time.monotonic() - sent < 60  # and not the five minutes of the FIFO
