"""A job is data: everything the platform says, read once, checked, and handed down."""

from dataclasses import dataclass

from semseg.sagemaker.attempts import Attempt, raise_all
from semseg.sagemaker.channels import Channels, read_channels
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameters import Configuration, Hyperparameters, read_hyperparameters
from semseg.sagemaker.problems import Problem, summarize
from semseg.sagemaker.resources import CheckpointPlace, Hosts, read_checkpoint_place, read_hosts
from semseg.sagemaker.tree import Tree

_PIPE = (
    "found TrainingInputMode 'Pipe', which only one host can read: several share the images of "
    "each batch, and have to know all; use File or FastFile"
)
_SHARDED = (
    "found S3DistributionType 'ShardedByS3Key', which gives each of several hosts some of the "
    "files, and tears images from their masks; use FullyReplicated"
)


@dataclass(frozen=True)
class Job:
    """One training job; `checkpoints` is None where the job wants none."""

    tree: Tree
    configuration: Configuration
    hyperparameters: Hyperparameters
    channels: Channels
    hosts: Hosts
    checkpoints: CheckpointPlace | None


def read_job(tree: Tree) -> Job:
    """The job described under ``input/config`` of `tree`.

    Raises CustomerError about all that is wrong with hyperparameters, channels, hosts and
    checkpoints, naming the files. It looks at no image.
    """
    configuration = Attempt(lambda: read_hyperparameters(tree.hyperparameters))
    channels = Attempt(lambda: read_channels(tree))
    hosts = Attempt(lambda: read_hosts(tree.resourceconfig))
    whole = Attempt(lambda: _refuse_parts(channels.value, hosts.value, tree.inputdataconfig.name))
    checkpoints = Attempt(lambda: read_checkpoint_place(tree.checkpointconfig, tree.checkpoints))
    raise_all(configuration, channels, hosts, whole, checkpoints)
    return Job(
        tree,
        configuration.value,
        configuration.value.hyperparameters,
        channels.value,
        hosts.value,
        checkpoints.value,
    )


def _refuse_parts(channels: Channels, hosts: Hosts, where: str) -> None:
    """Raises CustomerError about all channels of which one of several hosts lacks a part."""
    if hosts.count == 1:
        return
    problems = []
    for channel in filter(None, vars(channels).values()):
        if channel.is_pipe:
            problems.append(Problem(channel.name, _PIPE))
        elif channel.is_sharded:
            problems.append(Problem(channel.name, _SHARDED))
    if problems:
        raise CustomerError(summarize(where, problems))
