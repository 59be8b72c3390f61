"""Weights for tests that look as if they were trained."""

from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from semseg.networks.artifact import BEST, Artifact, read_artifact, write_configuration
from semseg.networks.zoo import build


def seasoned(algorithm: str, classes: int, backbone: str = "resnet-50") -> Any:
    """A network whose batch normalizations have statistics, scales and shifts of their own.

    Untrained ones have means of 0 and variances of 1, and would hide whatever is done to them.
    """
    mx.random.seed(23)
    network = build(algorithm, backbone, classes)
    network.start_untrained(mx.cpu())
    numbers = np.random.default_rng(23)
    ranges = {"gamma": (0.6, 1.2), "beta": (-0.3, 0.3), "mean": (-0.3, 0.3), "var": (0.5, 2.0)}
    for name, parameter in network.collect_params().items():
        wanted = ranges.get(name.rpartition("_")[2])
        if wanted:
            values = numbers.uniform(*wanted, parameter.shape)
            parameter.set_data(mx.nd.array(values, dtype="float32"))
    # No class is to be the most probable one everywhere.
    logits = computed(network(mx.nd.random.uniform(-2, 2, shape=(1, 3, 64, 64))))[0]
    bias = network._collect_params_with_prefix()["head.block.4.bias"]
    bias.set_data(bias.data() - logits.mean(axis=(0, 2, 3)))
    return network


def computed(outputs: Any) -> Any:
    """A network's outputs when all are there, the auxiliary head's too.

    Before that its weights are not to be read: a convolution brings them into oneDNN's order in
    place, and MXNet makes no reader wait for one that has not come to that yet.
    """
    for output in outputs:
        output.wait_to_read()
    return outputs


def save(network: Any, algorithm: str, folder: Path) -> Artifact:
    """The artifact that `train` would have left of a network."""
    network.save_parameters(str(folder / BEST))
    write_configuration(folder, {"algorithm": algorithm})
    return read_artifact(folder)
