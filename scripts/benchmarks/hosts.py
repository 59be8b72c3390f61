"""What it costs several hosts to train together: bytes, and seconds, of one step.

    python -m scripts.benchmarks.hosts

One, two and three hosts, each with an address of its own on the loopback interface and one thread
to compute with, train FCN on ResNet-50 on blank images. Prints a Markdown table. The bytes are
those that the interface counted, so nothing else should talk over it meanwhile.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from semseg import runtime
from semseg.data.assembly import Batch
from semseg.sagemaker.hyperparameters import Configuration, Hyperparameters, defaults
from semseg.sagemaker.resources import Hosts
from semseg.sagemaker.stopping import Stop
from semseg.training.hosts.joining import FirstHost, OtherHost
from semseg.training.hosts.servers import ParameterServers
from semseg.training.hosts.team import ALONE, Team
from semseg.training.hosts.together import Patience

_INTERFACE = "lo"
_NETWORK = "127.94.10"
_WARM_UP = 2  # steps, in which MXNet makes its buffers
_HEADINGS = (
    "hosts",
    "s a step",
    "compute, s",
    "exchange, s",
    "MB of gradients",
    "MB sent in all",
    "of these from host to host",
)


class TimedExchange:
    """An `Exchange` that waits for all hosts before it begins, and until it is through.

    Args:
        exchange: the real one.
        team: the hosts.
    """

    def __init__(self, exchange: Any, team: Team) -> None:
        self._exchange = exchange
        self._team = team
        self.seconds: list[float] = []

    def add_up_gradients(self) -> None:
        """Does it, and notes how long it took."""
        from mxnet import nd

        nd.waitall()
        self._team.gather(None)
        started = time.monotonic()
        self._exchange.add_up_gradients()
        nd.waitall()
        self.seconds.append(time.monotonic() - started)

    def average_statistics(self) -> None:
        """As ever."""
        self._exchange.average_statistics()


def measure(team: Team, job: Hyperparameters, steps: int) -> dict[str, float]:
    """Seconds and bytes of a step, seen from one of the hosts."""
    import mxnet as mx
    from mxnet import nd

    from semseg.training.epoch import Learner
    from semseg.training.fit import prepare_network
    from semseg.training.state import State

    network = prepare_network(job, None, None, (mx.cpu(),), seed=0)
    learner = Learner(network, job, (mx.cpu(),), State(0), team)
    images = np.zeros((job.mini_batch_size, 3, job.crop_size, job.crop_size), np.float32)
    batch = Batch(images, np.zeros(images.shape[:1] + images.shape[2:], np.uint8))
    ends: list[tuple[float, int]] = []

    def batches() -> Iterator[Batch]:
        for _ in range(_WARM_UP + steps + 1):
            nd.waitall()
            team.gather(None)
            ends.append((time.monotonic(), _bytes_sent()))
            yield batch

    def step() -> tuple[float, float]:
        """The median of the seconds, and the mean of the bytes."""
        ends.clear()
        learner.train_epoch(batches())
        counted = ends[_WARM_UP:]
        seconds = statistics.median(after[0] - before[0] for before, after in pairwise(counted))
        return seconds, (counted[-1][1] - counted[0][1]) / (len(counted) - 1)

    as_usual, sent = step()
    trained = (one for one in network.collect_params().values() if one.grad_req != "null")
    gradients = 4 * sum(int(np.prod(parameter.shape)) for parameter in trained)
    if team.size == 1:
        exchange = 0.0
        split = as_usual
    else:
        timed = TimedExchange(learner._exchange, team)
        learner._exchange = timed  # type: ignore[assignment]
        split, _ = step()
        exchange = statistics.median(timed.seconds[_WARM_UP:])
    return {
        "step": as_usual,
        "compute": split - exchange,
        "exchange": exchange,
        "gradients": gradients,
        "sent": sent,
    }


def run_host(index: int, names: Sequence[str], job: Hyperparameters, steps: int) -> None:
    """One of the hosts, in a process of its own; the first prints what it found."""
    hosts = Hosts(names[index], tuple(names), _INTERFACE)
    with ExitStack() as stack:
        team: Team = ALONE
        if hosts.count > 1:
            kind = OtherHost if index else FirstHost
            member = kind(hosts, {}, Stop(), lambda error: os._exit(3), Patience())
            team = stack.enter_context(member)
            servers = stack.enter_context(ParameterServers(member))
            team.worker = servers.environment("worker")
        found = measure(team, job, steps)
        if team.is_first:
            print(json.dumps(found), flush=True)
    os._exit(0)  # MXNet would wait for the servers, which have ended


def start(hosts: int, arguments: Sequence[str]) -> dict[str, float]:
    """Runs so many hosts, each with one thread; what the first one found."""
    environment = {**os.environ, **runtime.environment(1)}
    program = [sys.executable, "-m", "scripts.benchmarks.hosts", f"--hosts={hosts}", *arguments]
    processes = [
        subprocess.Popen(
            [*program, f"--host={index}"], env=environment, stdout=subprocess.PIPE, text=True
        )
        for index in range(hosts)
    ]
    printed = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit(f"One of {hosts} hosts failed.")
    found: dict[str, float] = json.loads(printed[0].splitlines()[-1])
    return found


def row(hosts: int, found: dict[str, float]) -> str:
    """A line of the table."""
    between = found["sent"] * (hosts - 1) / hosts  # each host has an equal part of all servers
    seconds = [f"{found[name]:.2f}" for name in ("step", "compute", "exchange")]
    megabytes = [f"{size / 1e6:.0f}" for size in (found["gradients"], found["sent"], between)]
    return " | ".join([f"| {hosts}", *seconds, *megabytes]) + " |"


def _bytes_sent() -> int:
    """What the interface has sent since the machine started."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == _INTERFACE:
            return int(numbers.split()[8])
    raise SystemExit(f"There is no interface {_INTERFACE}.")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=3, help="up to so many")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--batch", type=int, default=2, help="images of each host's batch")
    parser.add_argument("--crop", type=int, default=240)
    parser.add_argument("--host", type=int, help=argparse.SUPPRESS)  # be this one of them
    options = parser.parse_args()
    names = [f"{_NETWORK}.{number}" for number in range(1, options.hosts + 1)]
    if options.host is not None:
        given = {
            "num_classes": "21",
            "num_training_samples": "1000",
            "mini_batch_size": str(options.batch),
            "crop_size": str(options.crop),
            "_logging_frequency": "1000",
        }
        job = Configuration.merge(defaults(), given).hyperparameters
        run_host(options.host, names, job, options.steps)
    sizes = [f"--{name}={getattr(options, name)}" for name in ("steps", "batch", "crop")]
    print("| " + " | ".join(_HEADINGS) + " |")
    print("| --- " * len(_HEADINGS) + "|")
    for hosts in range(1, options.hosts + 1):
        print(row(hosts, start(hosts, sizes)), flush=True)


if __name__ == "__main__":
    main()
