"""A job under way."""

from dataclasses import dataclass

from semseg.sagemaker.job import Job
from semseg.sagemaker.stopping import Stop
from semseg.training.checkpoint_file import Checkpoint
from semseg.training.checkpoints import Checkpoints
from semseg.training.hosts.team import Team
from semseg.training.state import State


@dataclass(frozen=True)
class Run:
    """What is asked for, how far it has come, and who may end it.

    Attributes:
        job: the job.
        state: where it stands; moves on.
        checkpoints: where checkpoints go, if anywhere.
        resumed: the checkpoint it goes on from, if any; its models are back in the model folder.
        stop: whether the job has been asked to end.
        team: the hosts that train together.
    """

    job: Job
    state: State
    checkpoints: Checkpoints
    resumed: Checkpoint | None
    stop: Stop
    team: Team
