"""What goes wrong while `train` trains: whose fault it is, and what is left of the model."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from semseg.networks.artifact import read_artifact
from tests.contract.training_job import TrainingJob
from tests.contract.watched import Watched, said

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
EXIT_CODES = {"Customer Error": 2, "Algorithm Error": 1, "Platform Error": 3}


@pytest.fixture
def job(tmp_path: Path) -> Iterator[TrainingJob]:
    """Three epochs of three iterations."""
    job = TrainingJob(tmp_path / "ml", epochs="3", crop_size="24", base_size="24")
    yield job
    job.remove()


def mount(folder: Path, *options: str) -> None:
    """A file system in memory; skips the test where this process may not mount any."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"needs to mount a file system, and may not: {done.stderr.strip()}")


@pytest.fixture
def mounted() -> Iterator[Callable[..., None]]:
    """Mounts file systems and unmounts them in the end."""
    folders: list[Path] = []

    def mount_one(folder: Path, *options: str) -> None:
        mount(folder, *options)
        folders.append(folder)

    yield mount_one
    for folder in folders:
        subprocess.run(["umount", str(folder)], check=True)


def assert_failed(job: TrainingJob, train: Watched, label: str) -> str:
    """That it ended with the label's exit code and its message in log and failure file."""
    assert train.end() == EXIT_CODES[label], train.log
    failure = (job.base / "output" / "failure").read_text()
    assert 0 < len(failure.encode()) <= 1024
    [line] = [line for line in train.lines if re.search(r" ERROR \d+\] ", line)]
    assert line.split(f"{label}: ")[1].startswith(failure.splitlines()[0])
    return failure


def assert_the_best_model_is_there(job: TrainingJob) -> None:
    """The one of the first epoch, whole, with the configuration that belongs to it."""
    artifact = read_artifact(job.model)
    assert artifact.parameters == job.model / "model_best.params"
    assert artifact.configuration["num_classes"] == "3"
    assert [path.name for path in job.model.iterdir() if "ignore" in path.name] == []


def patched(module: str, name: str, statement: str, call: int) -> str:
    """Python that makes the so-manieth call of a function run a statement first."""
    return f"""
import {module} as module
original, calls = {name}, []
def function(*args, **kwargs):
    calls.append(1)
    if len(calls) == {call}:
        {statement}
    return original(*args, **kwargs)
{name} = function
"""


def test_a_disk_that_becomes_full_is_the_platforms_fault(job: TrainingJob, mounted) -> None:
    """Room for one model, not for two."""
    mounted(job.model, "-o", "size=200m")

    with Watched(job) as train:
        message = assert_failed(job, train, "Platform Error")

    assert message.startswith("The disk is full")
    assert "epoch: 0, validation mIOU" in train.log
    assert_the_best_model_is_there(job)


def test_a_disk_that_becomes_full_of_checkpoints_is_the_platforms_fault(
    job: TrainingJob, mounted
) -> None:
    checkpoints = job.want_checkpoints()
    mounted(checkpoints, "-o", "size=1000m")

    with Watched(job) as train:
        message = assert_failed(job, train, "Platform Error")

    assert message.startswith("The disk is full")
    assert_the_best_model_is_there(job)
    assert [path.name for path in checkpoints.iterdir()] == ["checkpoint-000001.zip"]


@pytest.mark.parametrize("folder", ["model", "checkpoints"])
def test_a_folder_that_is_read_only_is_said_before_the_data_are_read(
    job: TrainingJob, mounted, folder: str
) -> None:
    job.want_checkpoints()
    mounted(job.base / folder, "-o", "ro")

    with Watched(job) as train:
        message = assert_failed(job, train, "Platform Error")

    assert message.startswith(
        f"Nothing can be written to {job.base / folder}: Read-only file system."
    )
    assert "#label_map" not in train.log


def test_a_model_folder_that_becomes_read_only_is_the_platforms_fault(
    job: TrainingJob, mounted
) -> None:
    mounted(job.model)

    with Watched(job) as train:
        assert train.wait_until(said("completed"))
        subprocess.run(["mount", "-o", "remount,ro", str(job.model)], check=True)
        assert_failed(job, train, "Platform Error")

    assert_the_best_model_is_there(job)


def test_a_channel_that_vanishes_is_the_platforms_fault(job: TrainingJob) -> None:
    with Watched(job) as train:
        assert train.wait_until(said("completed"))
        shutil.rmtree(job.channel("train"))
        message = assert_failed(job, train, "Platform Error")

    assert re.match(r"\S+/train/\d\.jpg could be read when it was checked: There is no", message)
    assert_the_best_model_is_there(job)


@pytest.mark.parametrize(
    ("statement", "label", "words"),
    [
        ("raise SystemExit", "Algorithm Error", "A thread that loads images was ended from outs"),
        ("raise MemoryError", "Platform Error", "The machine ran out of memory; a smaller mini_b"),
    ],
)
def test_a_worker_that_dies_while_it_loads_an_image(
    job: TrainingJob, statement: str, label: str, words: str
) -> None:
    """The second epoch needs the tenth of the samples: six to train on and three to validate."""
    code = patched("semseg.data.assembly", "module.normalize", statement, call=10)

    with Watched(job, before=code) as train:
        message = assert_failed(job, train, label)

    assert message.startswith(words)
    assert "epoch: 0, validation mIOU" in train.log
    assert_the_best_model_is_there(job)


def test_memory_that_mxnet_cannot_get_is_the_platforms_fault(job: TrainingJob) -> None:
    """A real allocation of 8 GB, under a limit that has room for all else."""
    fill = (
        "import mxnet, resource; vm = int(open('/proc/self/statm').read().split()[0]) * 4096; "
        "resource.setrlimit(resource.RLIMIT_AS, (vm + 4 * 2**30,) * 2); "
        "mxnet.nd.zeros((2**31 - 2,)).wait_to_read()"
    )
    code = patched("semseg.training.epoch", "module.Learner._learn", fill, call=5)

    with Watched(job, before=code) as train:
        message = assert_failed(job, train, "Platform Error")

    assert message.startswith("The machine ran out of memory; a smaller mini_batch_size")
    assert "Failed to allocate CPU Memory" in message
    assert_the_best_model_is_there(job)


def test_a_bug_is_ours(job: TrainingJob) -> None:
    code = patched("semseg.training.epoch", "module.Learner._learn", "{}['a bug']", call=5)

    with Watched(job, before=code) as train:
        message = assert_failed(job, train, "Algorithm Error")

    assert message == "'a bug' (caused by KeyError)"
    assert "Traceback (most recent call last):" in train.log
    assert_the_best_model_is_there(job)
