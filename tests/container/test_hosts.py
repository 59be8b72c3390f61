"""`docker run IMAGE train` on two hosts of a Docker network, by their names."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.container.container import HARDENED, UID, Container, docker, give_to, mount, user
from tests.contract.training_job import TrainingJob

HOSTS = ["algo-1", "algo-2"]
TWO_MINUTES = 120


@pytest.fixture
def network() -> Iterator[str]:
    name = f"semseg-{os.getpid()}"
    docker("network", "create", name)
    yield name
    docker("network", "rm", name)


@pytest.fixture
def start(cpu_image: str, network: str, tmp_path: Path):
    """Starts both hosts with a job of so many epochs: the containers, and the job of each."""
    if os.getuid() != 0:
        pytest.skip("needs root, to make folders that belong to another user")
    with ExitStack() as stack:

        def start(epochs: int) -> tuple[list[Container], list[TrainingJob]]:
            jobs = []
            for host in HOSTS:
                job = TrainingJob(tmp_path / host, mini_batch_size="1", epochs=str(epochs))
                stack.callback(job.remove)
                config = {"hosts": HOSTS, "network_interface_name": "eth0"}
                job.configure("resourceconfig", {"current_host": host, **config})
                give_to(UID, job.base)
                jobs.append(job)
            containers = []
            for host, job in zip(HOSTS, jobs, strict=True):
                place = (f"--network={network}", f"--network-alias={host}", f"--hostname={host}")
                options = (*HARDENED, *place, user(UID), mount(job.base))
                containers.append(
                    stack.enter_context(Container(cpu_image, "train", options=options))
                )
            return containers, jobs

        yield start


def test_two_hosts_train_together(start) -> None:
    containers, (first, other) = start(1)

    assert [container.wait() for container in containers] == [0, 0], log_of(containers)
    assert first.model_files() == {"model_algo-1", "model_best.params", "hyperparams.json"}
    assert other.model_files() == set()
    losses = [re.findall("train loss: (.*)", container.log) for container in containers]
    assert [len(found) for found in losses] == [1, 0]


def test_a_host_that_is_killed_is_named_by_the_other(start) -> None:
    containers, (first, _) = start(1000)
    deadline = time.monotonic() + TWO_MINUTES
    while "learning_rate: " not in containers[0].log:
        assert time.monotonic() < deadline, log_of(containers)
        time.sleep(0.2)

    docker("kill", containers[1].id)

    assert containers[0].wait() == 3
    reason = (first.base / "output" / "failure").read_text()
    assert reason.startswith("The host algo-2 closed the connection")


def log_of(containers: list[Container]) -> str:
    return "\n=====\n".join(container.log for container in containers)
