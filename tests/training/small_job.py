"""A job on a network small enough to be interrupted at every step, and run again and again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mxnet as mx
from mxnet.gluon import nn

from semseg.data.checks import Dataset
from semseg.networks.seed_model import SeedModel
from semseg.sagemaker.job import Job
from semseg.sagemaker.stopping import Stop, StopRequested
from semseg.sagemaker.tree import Tree
from semseg.training import fit
from semseg.training.checkpoints import Checkpoints
from semseg.training.hosts.team import ALONE
from semseg.training.run import Run
from semseg.training.state import State
from tests.contract.training_job import CLASSES


class Small(nn.HybridBlock):
    """A network with all that has a memory or a chance of its own: batch norm and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.HybridSequential()
        self.body.add(
            nn.Conv2D(4, kernel_size=1, in_channels=3),
            nn.BatchNorm(in_channels=4),
            nn.Dropout(0.5),
            nn.Conv2D(CLASSES, kernel_size=1, in_channels=4),
        )

    def hybrid_forward(self, F: Any, images: Any) -> tuple[Any, ...]:
        return (self.body(images),)


class StopAfter(Stop):
    """Asks to stop when it has been looked at so many times."""

    def __init__(self, checks: int | None) -> None:
        super().__init__()
        self.left = checks

    def check(self) -> None:
        if self.left == 0:
            raise StopRequested
        if self.left is not None:
            self.left -= 1


@dataclass(frozen=True)
class Setting:
    """A job with its dataset, ready to be run again and again in different folders."""

    job: Job
    dataset: Dataset

    def run(
        self,
        base: Path,
        stop_after: int | None = None,
        seconds: float = 0,
        seed: int = 1,
        devices: int = 1,
        seed_model: SeedModel | None = None,
    ) -> int:
        """Trains in the folder `base`, going on from what lies there; the epochs done."""
        tree = Tree(base)
        job = Job(**{**vars(self.job), "tree": tree})
        checkpoints = Checkpoints(base / "checkpoints", {}, seconds)
        resumed = checkpoints.newest()
        state = resumed.state if resumed else State(seed)
        if resumed:
            resumed.put_back_models(tree.model)
        mx.random.seed(seed)
        contexts = tuple(mx.cpu(number) for number in range(devices))
        network = Small()
        network.initialize(ctx=list(contexts))
        stop = StopAfter(stop_after)
        under_way = Run(job, state, checkpoints, resumed, stop, ALONE)
        return fit.fit(under_way, self.dataset, network, contexts, seed_model)
