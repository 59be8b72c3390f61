"""`train` asked to stop with SIGTERM, at every stage of its work, or with Ctrl-C."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from semseg.networks.artifact import read_artifact
from tests.contract.training_job import TrainingJob
from tests.contract.watched import Moment, Watched, after, said, there_is

pytestmark = pytest.mark.slow

# Generous, as other work may be going on; what it measures is seconds where nothing else runs.
SECONDS = 60
WHOLE_MODEL = {"hyperparams.json", "model_algo-1", "model_best.params"}


@pytest.fixture
def job(tmp_path: Path) -> Iterator[TrainingJob]:
    """More epochs than anybody waits for."""
    job = TrainingJob(tmp_path / "ml", epochs="1000", crop_size="24", base_size="24")
    yield job
    job.remove()


def stop(train: Watched, signals: int = 1) -> None:
    """Sends SIGTERM, and makes sure that it ends well before SageMaker would kill it."""
    for _ in range(signals):
        train.terminate()
        time.sleep(0.05)
    assert train.end(SECONDS) == 0, train.log
    assert "Stop requested (SIGTERM)" in train.log
    assert "Traceback" not in train.log
    assert not (train.job.base / "output" / "failure").exists()


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(said("entrypoint"), id="while it reads the job"),
        pytest.param(said("#label_map validation"), id="while it checks the data"),
        pytest.param(after(0.5, said("#label_map validation")), id="while it imports MXNet"),
        pytest.param(said("nvidia-smi identified"), id="while it makes the network"),
    ],
)
def test_before_training_it_ends_at_once(job: TrainingJob, moment: Moment) -> None:
    with Watched(job) as train:
        assert train.wait_until(moment)
        stop(train)

    assert "there is nothing to save" in train.log
    assert job.model_files() == set()


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(said("learning_rate: "), id="while it trains"),
        pytest.param(said(r"samples/sec$"), id="while it validates"),
        pytest.param(there_is("model/.model_best.*"), id="while it saves the best model"),
        pytest.param(there_is("checkpoints/.checkpoint*"), id="while it saves a checkpoint"),
    ],
)
def test_a_job_that_is_stopped_goes_on_where_it_was(job: TrainingJob, moment: Moment) -> None:
    checkpoints = job.want_checkpoints()
    with Watched(job) as train:
        assert train.wait_until(moment)
        stop(train)

    assert job.model_files() == WHOLE_MODEL
    read_artifact(job.model)
    assert "Serializing model to" in train.lines[-1]
    newest = max(checkpoints.iterdir())
    stopped = [line for line in train.lines if "Stopped in epoch " in line]
    assert len(stopped) == 1

    # As on another instance: the model folder is empty, and has the models again at once.
    shutil.rmtree(job.model)
    with Watched(job) as again:
        assert again.wait_until(there_is("model/.model_*"))
        stop(again)
    assert f"Resuming from {newest}" in again.log
    assert job.model_files() == WHOLE_MODEL
    read_artifact(job.model)


def test_without_checkpoints_the_models_are_saved_all_the_same(job: TrainingJob) -> None:
    with Watched(job) as train:
        assert train.wait_until(said("epoch: 1, iterations: 1 .*learning_rate"))
        stop(train, signals=3)

    assert job.model_files() == WHOLE_MODEL
    best, last = (job.model / name for name in ("model_best.params", "model_algo-1"))
    assert best.stat().st_size == last.stat().st_size
    assert best.read_bytes() != last.read_bytes()
    assert train.log.count("Stop requested") == 1


def test_ctrl_c_saves_as_well(job: TrainingJob) -> None:
    checkpoints = job.want_checkpoints()
    # The tests themselves may run in the background of a shell, where SIGINT is ignored.
    with Watched(job, "env", "--default-signal=INT") as train:
        assert train.wait_until(said("learning_rate: "))
        train.interrupt()
        assert train.end(SECONDS) == 130, train.log

    assert "Stop requested (SIGINT)" in train.log
    assert "Traceback" not in train.log
    assert not (job.base / "output" / "failure").exists()
    assert job.model_files() == WHOLE_MODEL
    assert len(list(checkpoints.iterdir())) == 1


def test_as_the_first_process_of_a_container_it_hears_of_it_too(job: TrainingJob) -> None:
    """Of signals for process 1 the kernel delivers only those for which there is a handler."""
    alone = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("needs a process number space of its own, and may not have one")

    with Watched(job, *alone) as train:
        assert train.wait_until(said("Process 1 is a worker"))
        assert train.wait_until(said("learning_rate: "))
        children = Path(f"/proc/{train.process.pid}/task/{train.process.pid}/children")
        subprocess.run(["kill", f"-{signal.SIGTERM}", children.read_text().strip()], check=True)
        assert train.end(SECONDS) == 0, train.log

    assert job.model_files() == WHOLE_MODEL
