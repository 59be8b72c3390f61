"""`docker run IMAGE train`."""

from pathlib import Path

import pytest

from semseg.networks.thresholds import THRESHOLDS
from tests.container.container import HARDENED, UID, mount, run, user
from tests.contract.training_job import TrainingJob

ARTIFACT = {"model_algo-1", "model_best.params", "hyperparams.json"}


def test_a_hardened_container_trains(image: str, job: TrainingJob) -> None:
    options = (*HARDENED, "--network=none", user(UID), mount(job.base))

    ended = run(image, "train", options=options)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Number of GPUs being used: 0" in ended.stdout
    assert job.model_files() == ARTIFACT
    assert not (job.base / "output" / "failure").exists()
    assert {path.stat().st_uid for path in job.model.iterdir()} == {UID}


def test_root_trains_as_on_sagemaker(trained: Path) -> None:
    assert {path.name for path in (trained / "model").iterdir()} == {*ARTIFACT, THRESHOLDS}


def test_a_model_folder_that_takes_no_files(cpu_image: str, job: TrainingJob) -> None:
    ended = run(cpu_image, "train", options=(*HARDENED, user(UID), mount(job.base, read_only=True)))

    assert ended.returncode == 3
    assert "Platform Error: Nothing can be written to /opt/ml/model: " in ended.stdout


def test_a_channel_that_may_not_be_read(cpu_image: str, job: TrainingJob) -> None:
    job.channel("train").chmod(0)

    ended = run(cpu_image, "train", options=(*HARDENED, user(UID + 1), mount(job.base)))

    assert ended.returncode == 2
    assert "train: the folder /opt/ml/input/data/train cannot be read: Permission denied" in (
        ended.stdout
    )


def test_less_memory_than_the_job_takes(cpu_image: str, job: TrainingJob) -> None:
    memory = ("--memory=512m", "--memory-swap=512m")

    ended = run(cpu_image, "train", options=(*HARDENED, *memory, user(UID), mount(job.base)))

    assert ended.returncode == 2
    assert "Customer Error: Training fcn on resnet-50 " in ended.stdout
    assert "there are 0.5 GiB" in ended.stdout
    assert (job.base / "output" / "failure").read_text().startswith("Training fcn on")


@pytest.mark.parametrize("program", ["train", "serve"])
def test_a_gpu_that_mxnet_has_no_code_for(
    cuda_image: str, trained: Path, driver, program: str
) -> None:
    """The library lies where NVIDIA's toolkit puts the driver, which goes before the stand-in."""
    place = "/usr/lib/x86_64-linux-gnu/libcuda.so.1"
    gpu = f"--volume={driver(9, 0)}:{place}:ro"

    ended = run(cuda_image, program, options=(gpu, mount(trained)))

    assert ended.returncode == 2
    assert "This host's NVIDIA Test GPU has compute capability 9.0, and MXNet" in ended.stdout
