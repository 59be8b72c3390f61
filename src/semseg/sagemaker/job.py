"""A job is data: everything the platform says, read once, checked, and handed down."""

from dataclasses import dataclass

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

    Raises CustomerError about the first of these that is wrong, naming its file: hyperparameters,
    channels, hosts, checkpoints. It looks at no image.
    """
    configuration = read_hyperparameters(tree.hyperparameters)
    channels = read_channels(tree)
    hosts = read_hosts(tree.resourceconfig)
    if hosts.count > 1:
        _refuse_parts(channels, tree.inputdataconfig.name)
    checkpoints = read_checkpoint_place(tree.checkpointconfig, default=tree.checkpoints)
    return Job(tree, configuration, configuration.hyperparameters, channels, hosts, checkpoints)


def _refuse_parts(channels: Channels, where: str) -> None:
    """Raises CustomerError about all channels of which a host would not have the whole."""
    problems = []
    for channel in filter(None, vars(channels).values()):
        if channel.is_pipe:
            problems.append(Problem(channel.name, _PIPE))
        elif channel.is_sharded:
            problems.append(Problem(channel.name, _SHARDED))
    if problems:
        raise CustomerError(summarize(where, problems))
