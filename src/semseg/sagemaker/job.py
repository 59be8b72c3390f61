"""A job is data: everything the platform says, read once, checked, and handed down."""

from dataclasses import dataclass

from semseg.sagemaker.channels import Channels, read_channels
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameters import Configuration, Hyperparameters, read_hyperparameters
from semseg.sagemaker.problems import Problem, summarize
from semseg.sagemaker.resources import CheckpointPlace, Hosts, read_checkpoint_place, read_hosts
from semseg.sagemaker.tree import Tree


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
        _refuse_pipes(channels, tree.inputdataconfig.name)
    checkpoints = read_checkpoint_place(tree.checkpointconfig, default=tree.checkpoints)
    return Job(tree, configuration, configuration.hyperparameters, channels, hosts, checkpoints)


def _refuse_pipes(channels: Channels, where: str) -> None:
    text = (
        "found TrainingInputMode 'Pipe', which only one host can read: several share the images of "
        "each batch, and have to know all; use File or FastFile"
    )
    given = (channels.train, channels.validation, channels.test)
    streamed = [one for one in given if one is not None and one.is_pipe]
    if streamed:
        raise CustomerError(summarize(where, [Problem(one.name, text) for one in streamed]))
