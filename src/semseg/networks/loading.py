"""From an artifact to its network, with values."""

from typing import Any

from mxnet.base import MXNetError

from semseg.networks.artifact import Artifact
from semseg.networks.zoo import build
from semseg.sagemaker.errors import CustomerError


def load_network(artifact: Artifact, device: Any) -> Any:
    """The artifact's network without its auxiliary head; see `SegmentationNetwork`.

    Args:
        artifact: the trained model.
        device: MXNet context.

    Raises:
        CustomerError: the parameters do not fit the network.
    """
    architecture = artifact.architecture
    network = build(
        architecture.algorithm, architecture.backbone, architecture.num_classes, aux=False
    )
    network.collect_params().setattr("grad_req", "null")  # room for gradients is as large again
    try:
        network.load_parameters(str(artifact.parameters), ctx=device, ignore_extra=True)
    except (AssertionError, MXNetError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CustomerError(
            f"{artifact.parameters} can't be loaded as {architecture.algorithm} on "
            f"{architecture.backbone} with {architecture.num_classes} classes: {reason} "
            "(is the file whole? Copy it from the job again)"
        ) from None
    return network
