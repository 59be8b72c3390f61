"""`train` on several hosts, each a process with an address of its own, and what ends them."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
import pytest

from semseg.networks.artifact import read_artifact
from semseg.training.hosts import ports
from tests.contract.cluster import JOB, Cluster, log_of
from tests.contract.training_job import Outcome, TrainingJob
from tests.contract.watched import Watched, said

pytestmark = pytest.mark.slow

# What a host promises: it does not outlive another by more than this.
TWO_MINUTES = 120
WHOLE_MODEL = {"hyperparams.json", "model_algo-1", "model_best.params"}

# Each device and each host draws for itself.
NO_DROPOUT = """
from mxnet.gluon import nn
nn.Dropout.hybrid_forward = lambda self, F, features: F.identity(features)
"""
TWO_DEVICES = """
import mxnet as mx
from semseg.training import devices
devices.find_devices = lambda job: (mx.cpu(0), mx.cpu(1))
"""
# Fifty layers make much of a last digit; see tests/training/hosts/test_equality.py for fewer.
TOLERANCE = 1e-3
# Each step makes ten times more of it: two steps are what every CPU's rounding leaves the same.
TWO_STEPS: dict[str, Any] = {"training_sizes": ((50, 40),) * 2, "num_training_samples": "2"}


def listening(port: int) -> set[str]:
    """The addresses on which anything listens on a port, of IPv4 and IPv6."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, number = line.split()[1].split(":")
            if int(number, 16) == port and line.split()[3] == "0A":
                found.add(".".join(str(byte) for byte in reversed(bytes.fromhex(address))))
    return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, list[Watched]]]:
    """Two hosts that trained two epochs, with checkpoints in between."""
    cluster = Cluster(tmp_path_factory.mktemp("pair"), 2, epochs="2")
    cluster.jobs[0].want_checkpoints()
    yield cluster, cluster.run(SEMSEG_CHECKPOINT_MINUTES="0.05")
    cluster.remove()


def test_the_first_host_writes_everything_and_the_others_nothing(
    pair: tuple[Cluster, list[Watched]],
) -> None:
    (first, other), _ = pair[0].jobs, pair[1]

    assert first.model_files() == WHOLE_MODEL
    read_artifact(first.model)
    assert {path.name for path in other.base.iterdir()} == {"input"}


def test_the_first_host_tells_the_metrics_and_all_tell_what_they_do(
    pair: tuple[Cluster, list[Watched]],
) -> None:
    cluster, (first, other) = pair

    for name in ("train loss", "validation pixel_accuracy", "validation mIOU"):
        said_of = re.findall(rf"host: (\S+), epoch: (\d), {name}: \d", first.log)
        assert said_of == [(cluster.hosts[0], "0"), (cluster.hosts[0], "1")]
    assert "completed 100.0 % of epochs" in first.log
    assert '"epochs": {"sum": 2.0' in first.log
    for line in ("#quality", "#throughput", "#progress_metric", "#metrics", "Serializing"):
        assert line not in other.log
    for train in (first, other):
        assert "LRScheduler setup: iters per epoch: 3, num_epochs 2" in train.log
        assert train.log.count("learning_rate: ") == 7  # of 14 images, all are taken in pairs
        assert "kv store is not running distributed" not in train.log
        assert "Traceback" not in train.log


def test_learning_rates_are_the_same_on_all_hosts(pair: tuple[Cluster, list[Watched]]) -> None:
    first, other = (re.findall(r"learning_rate: (\S+)", train.log) for train in pair[1])

    assert first == other
    assert len(set(first)) == 6  # falling with each; two epochs of three, by the schedule's count


def test_two_hosts_are_one_host_whose_two_devices_share_a_batch_twice_as_large(
    tmp_path: Path,
) -> None:
    # adam makes much of small gradients
    settings = {**TWO_STEPS, "optimizer": "sgd", "learning_rate": "0.01"}
    alone = TrainingJob(tmp_path / "ml", **{**JOB, **settings}, mini_batch_size="2")
    with alone.start(before=NO_DROPOUT + TWO_DEVICES) as process:
        log, errors = process.communicate()
    assert process.returncode == 0, log + errors
    cluster = Cluster(tmp_path, 2, **settings)
    trains = cluster.run(before=NO_DROPOUT)

    quality = re.compile(r"epoch: 0, (?:train loss|validation (?:pixel_accuracy|mIOU)): (\S+) \.")
    found, expected = (np.array(quality.findall(text), float) for text in (trains[0].log, log))
    assert len(expected) == 3
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE)
    assert_same_parameters(cluster.jobs[0], alone)
    alone.remove()
    cluster.remove()


def assert_same_parameters(found: TrainingJob, expected: TrainingJob) -> None:
    """Both jobs' last models are the same up to a share of the largest number in each array."""
    ours, theirs = (mx.nd.load(str(job.model / "model_algo-1")) for job in (found, expected))
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        wanted = values.asnumpy()
        atol = TOLERANCE * np.abs(wanted).max()
        np.testing.assert_allclose(ours[name].asnumpy(), wanted, 0, atol, err_msg=name)


def test_nothing_is_left_of_the_parameter_servers(pair: tuple[Cluster, list[Watched]]) -> None:
    pair[0].assert_that_all_is_gone()


def test_a_job_stopped_on_one_host_stops_on_all_and_goes_on_as_if_it_had_not(
    pair: tuple[Cluster, list[Watched]], tmp_path: Path
) -> None:
    """The checkpoint is on the first host only; SIGTERM comes to the other one.

    Then the same parameters to the last bit; statistics are a mean over the hosts, and so is the
    mean of means but for rounding.
    """
    cluster = Cluster(tmp_path, 2, epochs="2")
    cluster.jobs[0].want_checkpoints()
    with ExitStack() as stack:
        trains = cluster.start(stack)
        assert trains[0].wait_until(said("learning_rate: "), TWO_MINUTES), log_of(trains)
        listeners = {port: listening(port) for port in range(ports.TEAM, ports.WORKER + 1)}
        assert sorted(cluster.processes()) == [
            ("scheduler", cluster.hosts[0]),
            *(("server", host) for host in cluster.hosts),
        ]
        trains[1].terminate()
        assert [train.end() for train in trains] == [0, 0], log_of(trains)

    own = set(cluster.hosts)
    assert own & listeners[ports.SCHEDULER] == {cluster.hosts[0]}
    assert own <= listeners[ports.SERVER]
    assert own <= listeners[ports.WORKER]
    assert not {"0.0.0.0", "0" * 32} & set().union(*listeners.values())
    places = {re.search(r"Stopped in epoch \d after \d iter", train.log)[0] for train in trains}
    assert len(places) == 1
    assert cluster.jobs[0].model_files() == WHOLE_MODEL

    resumed = cluster.run()
    assert "Resuming from" in resumed[0].log
    assert all(train.log.count("learning_rate: ") < 7 for train in resumed)
    assert {path.name for path in cluster.jobs[1].base.iterdir()} == {"input"}
    ended, expected = (
        mx.nd.load(str(one.jobs[0].model / "model_algo-1")) for one in (cluster, pair[0])
    )
    for name, values in expected.items():
        if "running" in name:
            np.testing.assert_allclose(ended[name].asnumpy(), values.asnumpy(), 1e-4, 1e-5)
        else:
            assert np.array_equal(ended[name].asnumpy(), values.asnumpy()), name
    cluster.assert_that_all_is_gone()
    cluster.remove()


def test_stopped_on_one_host_all_save_and_do_nothing_else(tmp_path: Path) -> None:
    """With `syncbn` the network itself has a hand in what the hosts exchange."""
    cluster = Cluster(tmp_path, 2, epochs="1000", syncbn="True")
    with ExitStack() as stack:
        trains = cluster.start(stack)
        assert trains[0].wait_until(said("learning_rate: "), TWO_MINUTES), log_of(trains)
        trains[1].terminate()
        assert [train.end(TWO_MINUTES) for train in trains] == [0, 0], log_of(trains)

    assert cluster.jobs[0].model_files() == WHOLE_MODEL
    assert "Serializing model to" in trains[0].lines[-1]
    cluster.assert_that_all_is_gone()
    cluster.remove()


@pytest.mark.parametrize(("hosts", "victim", "epoch"), [(2, 0, 1), (3, 2, 0)])
def test_a_host_that_is_killed_ends_all_the_others_and_is_named(
    tmp_path: Path, hosts: int, victim: int, epoch: int
) -> None:
    cluster = Cluster(tmp_path, hosts, epochs="1000")
    with ExitStack() as stack:
        trains = cluster.start(stack)
        learning = said(f"epoch: {epoch},.*learning_rate: ")
        assert trains[0].wait_until(learning, TWO_MINUTES), log_of(trains)
        trains[victim].kill()
        killed = time.monotonic()
        codes = [train.end() for train in trains]
        assert time.monotonic() - killed < TWO_MINUTES

    assert codes == [-signal.SIGKILL if host == victim else 3 for host in range(hosts)]
    for host in set(range(hosts)) - {victim}:
        reason = (cluster.jobs[host].base / "output" / "failure").read_text()
        assert reason.startswith(f"The host {cluster.hosts[victim]} closed the connection")
        assert f"Platform Error: {reason}" in trains[host].log
    if epoch:
        read_artifact(cluster.jobs[0].model)  # the best so far is whole
    cluster.assert_that_all_is_gone()
    cluster.remove()


def test_a_parameter_server_that_is_killed_ends_all_hosts_and_is_named(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, 2, epochs="1000")
    with ExitStack() as stack:
        trains = cluster.start(stack)
        assert trains[0].wait_until(said("learning_rate: "), TWO_MINUTES), log_of(trains)
        os.kill(cluster.processes()["server", cluster.hosts[1]], signal.SIGKILL)
        assert [train.end(TWO_MINUTES) for train in trains] == [3, 3], log_of(trains)

    for job in cluster.jobs:
        reason = (job.base / "output" / "failure").read_text()
        assert reason == f"ps-lite's server on {cluster.hosts[1]} ended, with exit code -9."
    cluster.remove()


@pytest.mark.parametrize("missing", [0, 2])
def test_a_host_that_never_comes_ends_the_others_and_is_named(tmp_path: Path, missing: int) -> None:
    cluster = Cluster(tmp_path, 3)
    absent = cluster.jobs.pop(missing)
    with ExitStack() as stack:
        trains = cluster.start(stack, SEMSEG_HOST_SECONDS="4")
        assert [train.end(TWO_MINUTES) for train in trains] == [3, 3], log_of(trains)

    for job in cluster.jobs:
        reason = (job.base / "output" / "failure").read_text()
        assert f"{cluster.hosts[missing]} did not come within 4 s" in reason
        assert job.model_files() == set()
    absent.remove()
    cluster.remove()


def test_data_that_cannot_be_used_are_told_by_all(tmp_path: Path) -> None:
    """Every host looks at its own copy, and any may be the first to find out."""
    cluster = Cluster(tmp_path, 2)
    for job in cluster.jobs:
        next(job.channel("train_annotation").iterdir()).write_bytes(b"no mask")
    with ExitStack() as stack:
        trains = cluster.start(stack)
        assert [train.end(TWO_MINUTES) for train in trains] == [2, 2], log_of(trains)

    for job, train in zip(cluster.jobs, trains, strict=True):
        assert "1 problem in the data" in (job.base / "output" / "failure").read_text()
        assert "Traceback" not in train.log
    cluster.remove()


def test_what_only_one_host_can_do_is_refused_at_once(tmp_path: Path) -> None:
    """Before anybody waits for another host."""
    cluster = Cluster(tmp_path, 2)
    streamed = {"TrainingInputMode": "Pipe", "ContentType": "application/x-recordio"}
    cluster.jobs[0].configure("inputdataconfig", {"train": streamed, "validation": streamed})
    outcome: Outcome = cluster.jobs[0].run()

    assert outcome.exit_code == 2
    assert outcome.failure is not None
    assert outcome.failure.startswith("inputdataconfig.json: 2 problems (train, validation)")
    cluster.remove()
