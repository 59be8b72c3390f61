"""`train` killed with SIGKILL, again and again, and what comes of it in the end."""

import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.contract.training_job import TrainingJob
from tests.contract.watched import Moment, Watched, after, files, said, there_is

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

NEW_CHECKPOINT = "checkpoints/.checkpoint-*.zip.sagemaker-ignore"
PARAMETERS_OF_CHECKPOINT = "checkpoints/.model_algo-1.sagemaker-ignore"
NEW_BEST = "model/.model_best.params.sagemaker-ignore"
NEW_LAST = "model/.model_algo-1.sagemaker-ignore"
NOTICE = r"#progress_notice.*learning_rate"
VALIDATING = r"#progress_notice.*samples/sec$"

# Fifteen moments for each of two runs.
MOMENTS: tuple[Moment, ...] = (
    said(NOTICE),
    there_is(PARAMETERS_OF_CHECKPOINT),
    after(0.05, there_is(NEW_CHECKPOINT)),
    said(NOTICE, times=2),
    said("entrypoint"),
    after(0.2, there_is(NEW_CHECKPOINT)),
    said(VALIDATING),
    there_is(NEW_BEST),
    said("Resuming"),
    after(0.1, said(NOTICE)),
    said("validation mIOU"),
    after(0.3, said("nvidia-smi identified")),
    after(0.3, there_is(NEW_CHECKPOINT)),
    said("completed"),
    there_is(NEW_LAST),
)
KILLED_WHILE_TELLING = 2


@dataclass(frozen=True)
class Chain:
    """A job that was killed at every moment, and the same job left alone."""

    killed: TrainingJob
    logs: list[str]
    kills: int
    alone: TrainingJob
    log: str


def run_chain(base: Path, optimizer: str) -> Chain:
    """Runs a job to its end once for itself, and once killing it at every moment."""
    options = {"epochs": "4", "crop_size": "24", "base_size": "24", "optimizer": optimizer}
    alone = TrainingJob(base / "alone", **options)
    with Watched(alone, OMP_NUM_THREADS="1") as train:
        assert train.end() == 0, train.log
    killed, logs, kills = TrainingJob(base / "killed", **options), [], 0
    killed.want_checkpoints()
    for moment in (*MOMENTS, None):
        # A checkpoint before every batch: so each process gets a little further.
        with Watched(killed, OMP_NUM_THREADS="1", SEMSEG_CHECKPOINT_MINUTES="0") as train_on:
            if moment is not None and train_on.wait_until(moment):
                train_on.kill()
                kills += 1
            assert train_on.end() in (0, -signal.SIGKILL), train_on.log
            logs.append(train_on.log)
    return Chain(killed, logs, kills, alone, train.log)


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Chain]]:
    base = tmp_path_factory.mktemp("killed")
    optimizers = ("sgd", "adagrad")
    with ThreadPoolExecutor(len(optimizers)) as pool:
        done = list(pool.map(lambda name: run_chain(base / name, name), optimizers))
    yield done
    for chain in done:
        chain.killed.remove()
        chain.alone.remove()


def test_it_was_killed_thirty_times(chains: list[Chain]) -> None:
    assert sum(chain.kills for chain in chains) == 30


def test_it_comes_to_the_same_end_to_the_last_bit(chains: list[Chain]) -> None:
    for chain in chains:
        assert files(chain.killed.model) == files(chain.alone.model)


def results(log: str) -> list[str]:
    """What the log says of epochs: losses, accuracies, learning rates by iteration."""
    lines = re.findall(r"#(?:quality_metric|progress_metric).*", log)
    notices = re.findall(r"(epoch: \d+, iterations: \d+) .*(learning_rate: \S+)", log)
    return lines + [" ".join(notice) for notice in notices]


def test_what_is_said_of_an_epoch_is_what_the_run_left_alone_said(chains: list[Chain]) -> None:
    for chain in chains:
        expected = set(results(chain.log))
        for log in chain.logs:
            assert set(results(log)) <= expected
        assert {line for log in chain.logs for line in results(log)} == expected


def test_no_epoch_is_done_twice(chains: list[Chain]) -> None:
    for chain in chains:
        done = [re.findall(r"epoch: (\d+), validation mIOU", log) for log in chain.logs]
        for epochs in done:
            assert epochs == sorted(set(epochs))
        # Only what is killed while it says so, before the checkpoint counts, has to say it again.
        together = [epoch for epochs in done for epoch in epochs]
        assert len(together) - len(set(together)) <= KILLED_WHILE_TELLING


def test_nothing_half_written_is_left_and_three_checkpoints_are(chains: list[Chain]) -> None:
    for chain in chains:
        names = [path.name for path in chain.killed.base.rglob("*") if path.is_file()]
        assert [name for name in names if "ignore" in name] == []
        assert len([name for name in names if name.startswith("checkpoint-")]) == 3


def test_no_process_complained(chains: list[Chain]) -> None:
    for chain in chains:
        for log in chain.logs:
            assert "Traceback" not in log
            assert "Error" not in log
