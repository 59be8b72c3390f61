"""From SageMaker's names of algorithm and backbone to a network."""

from typing import Any

from semseg.networks.base import SegmentationNetwork
from semseg.networks.deeplab import DeepLab
from semseg.networks.fcn import FCN
from semseg.networks.psp import PSP

_ALGORITHMS: dict[str, type[SegmentationNetwork]] = {"fcn": FCN, "psp": PSP, "deeplab": DeepLab}
_BACKBONES = {"resnet-50": "resnet50", "resnet-101": "resnet101"}


def build(algorithm: str, backbone: str, num_classes: int, aux: bool = True) -> Any:
    """A network without parameter values; see `SegmentationNetwork`.

    Args:
        algorithm: `fcn`, `psp` or `deeplab`.
        backbone: `resnet-50` or `resnet-101`.
        num_classes: number of classes, the background included.
        aux: whether there is an auxiliary head.
    """
    return _ALGORITHMS[algorithm](_BACKBONES[backbone], num_classes, aux)
