"""A job on several hosts, each a process with an address of its own."""

import time
from contextlib import ExitStack
from pathlib import Path

from tests.contract.training_job import TrainingJob
from tests.contract.watched import Watched
from tests.training.hosts.loopback import resourceconfig, some_hosts

SCHEDULER_AND_SERVER = "semseg.training.hosts.server_process"

# Seven images: some stay for the next epoch, however many hosts take one each at a time.
JOB = {
    "training_sizes": ((50, 40),) * 7,
    "num_training_samples": "7",
    "crop_size": "24",
    "base_size": "24",
    "optimizer": "adam",
    "learning_rate": "0.001",
}


class Cluster:
    """A job on several hosts, each of which has its own copy of everything."""

    def __init__(self, base: Path, hosts: int, **hyperparameters: str) -> None:
        self.hosts = some_hosts(hosts)
        self.jobs = [
            TrainingJob(base / host, **{**JOB, "mini_batch_size": "1", **hyperparameters})
            for host in self.hosts
        ]
        for host, job in zip(self.hosts, self.jobs, strict=True):
            job.configure("resourceconfig", resourceconfig(host, self.hosts))

    def start(self, stack: ExitStack, **options: str) -> list[Watched]:
        return [
            stack.enter_context(Watched(job, OMP_NUM_THREADS="1", **options)) for job in self.jobs
        ]

    def run(self, **options: str) -> list[Watched]:
        """All hosts to their end."""
        with ExitStack() as stack:
            trains = self.start(stack, **options)
            assert [train.end() for train in trains] == [0] * len(trains), log_of(trains)
        return trains

    def processes(self) -> dict[tuple[str, str], int]:
        """ps-lite's processes that run for these hosts: role and host of each, and its number."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_text()
                environment = (folder / "environ").read_text().split("\0")
            except OSError:  # it has just ended, or is not ours
                continue
            if SCHEDULER_AND_SERVER in command:
                variables = dict(one.split("=", 1) for one in environment if "=" in one)
                if variables.get("DMLC_NODE_HOST") in self.hosts:
                    found[variables["DMLC_ROLE"], variables["DMLC_NODE_HOST"]] = int(folder.name)
        return found

    def assert_that_all_is_gone(self) -> None:
        """Soon after the last `train` nothing is left of ps-lite."""
        deadline = time.monotonic() + 20
        while self.processes():
            assert time.monotonic() < deadline, self.processes()
            time.sleep(0.1)

    def remove(self) -> None:
        for job in self.jobs:
            job.remove()


def log_of(trains: list[Watched]) -> str:
    return "\n=====\n".join(train.log for train in trains)
