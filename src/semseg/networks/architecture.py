"""Which network a parameter file belongs to, told from its arrays' names and shapes."""

from collections.abc import Mapping
from dataclasses import dataclass

Shapes = Mapping[str, tuple[int, ...]]

# The stages of the two ResNets differ in the third only: 6 and 23 blocks.
_BLOCKS_OF_THIRD_STAGE = {6: "resnet-50", 23: "resnet-101"}
_CLASSIFIER = "head.block.4.weight"


@dataclass(frozen=True)
class Architecture:
    """A network in SageMaker's words.

    Attributes:
        algorithm: `fcn`, `psp` or `deeplab`.
        backbone: `resnet-50` or `resnet-101`.
        num_classes: number of classes, the background included.
    """

    algorithm: str
    backbone: str
    num_classes: int


def backbone_of(shapes: Shapes) -> str | None:
    """The ResNet (GluonCV's v1s) whose parameters are among these; None if there is none."""
    blocks = {name.split(".")[1] for name in shapes if name.startswith("layer3.")}
    if "conv1.0.weight" not in shapes or "layer4.2.conv3.weight" not in shapes:
        return None
    return _BLOCKS_OF_THIRD_STAGE.get(len(blocks))


def architecture_of(shapes: Shapes) -> Architecture | None:
    """The segmentation network that has these parameters; None if it is none of ours."""
    backbone = backbone_of(shapes)
    if backbone is None or _CLASSIFIER not in shapes:
        return None
    if any(name.startswith("head.psp.") for name in shapes):
        algorithm = "psp"
    elif any(name.startswith("head.aspp.") for name in shapes):
        algorithm = "deeplab"
    else:
        algorithm = "fcn"
    return Architecture(algorithm, backbone, shapes[_CLASSIFIER][0])
