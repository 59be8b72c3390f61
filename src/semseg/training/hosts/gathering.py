"""A job's team, from its meeting to its end."""

from collections.abc import Iterator
from contextlib import contextmanager

from semseg.sagemaker.job import Job
from semseg.sagemaker.stopping import Stop
from semseg.training.hosts.joining import FirstHost, OtherHost
from semseg.training.hosts.servers import ParameterServers
from semseg.training.hosts.team import ALONE, Team
from semseg.training.hosts.together import GiveUp, Patience


@contextmanager
def gathered(job: Job, stop: Stop, give_up: GiveUp, patience: Patience) -> Iterator[Team]:
    """All hosts of a job, with ps-lite running between them; or only this one, with nothing.

    Args:
        job: as this host was given it.
        stop: whether this host has been asked to end.
        give_up: ends the process with an error, for when the main thread cannot.
        patience: how long to wait for what.

    Raises:
        PlatformError: a host did not come, was lost or failed.
        CustomerError: another host was given another job.
        StopRequested: the hosts were asked to end, and some have.
    """
    if job.hosts.count == 1:
        yield ALONE
        return
    kind = OtherHost if job.hosts.index else FirstHost
    with (
        kind(job.hosts, job.configuration.final, stop, give_up, patience) as team,
        ParameterServers(team, job.hyperparameters.num_kv_servers) as servers,
    ):
        team.worker = servers.environment("worker")
        yield team
