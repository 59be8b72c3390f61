"""A job of `fit` itself on a network of a few numbers, with everything of several hosts around it.

    python -m tests.training.hosts.small_run BASE DEVICES

BASE is the folder that stands for `/opt/ml`; DEVICES is how many CPU devices share a batch.
"""

import os
import sys
from pathlib import Path
from typing import Any

from semseg import runtime
from semseg.data.checks import check_datasets
from semseg.sagemaker.job import read_job
from semseg.sagemaker.logs import configure_logging
from semseg.sagemaker.stopping import Stop
from semseg.sagemaker.tree import Tree
from semseg.training.hosts.gathering import gathered
from semseg.training.hosts.together import Patience


def give_up(error: Exception) -> None:
    print(error, flush=True)
    os._exit(3)


def run(base: Path, devices: int) -> None:
    """Runs the job that the tree at `base` describes."""
    configure_logging()
    job = read_job(Tree(base))
    parameters = job.hyperparameters
    with gathered(job, Stop(), give_up, Patience(joining=60)) as team:
        dataset = check_datasets(job.channels, parameters.num_classes, 1, 1, hosts=team.size)
        runtime.prepare(1)
        import mxnet as mx
        from mxnet.gluon import nn

        from semseg.training import fit
        from semseg.training.checkpoints import Checkpoints
        from semseg.training.run import Run
        from semseg.training.state import State

        class Network(nn.HybridBlock):
            def __init__(self) -> None:
                super().__init__()
                self.body = nn.HybridSequential()
                self.body.add(
                    nn.Conv2D(4, kernel_size=3, padding=1, in_channels=3, use_bias=False),
                    nn.BatchNorm(in_channels=4),
                    nn.Activation("tanh"),
                    nn.Conv2D(parameters.num_classes, kernel_size=1, in_channels=4),
                )

            def hybrid_forward(self, F: Any, images: Any) -> tuple[Any, ...]:
                return (self.body(images),)

        class MainPath(nn.HybridBlock):
            def __init__(self, network: Network) -> None:
                super().__init__()
                self.body = network.body

            def hybrid_forward(self, F: Any, images: Any) -> Any:
                return self.body(images)

        fit.MainPath = MainPath
        # Only the first host's values matter.
        mx.random.seed(1 + team.index)
        contexts = tuple(mx.cpu(number) for number in range(devices))
        network = Network()
        network.initialize(mx.init.Normal(0.3), ctx=list(contexts))
        checkpoints = Checkpoints(None, {}, 0)
        under_way = Run(job, State(5), checkpoints, None, Stop(), team)
        fit.fit(under_way, dataset, network, contexts, None)
        for copy in network.body[0].weight.list_data():
            assert (copy.asnumpy() == network.body[0].weight.data(contexts[0]).asnumpy()).all()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
