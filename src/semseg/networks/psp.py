"""PSP: Zhao et al., "Pyramid scene parsing network", CVPR 2017."""

from typing import Any

from gluoncv.model_zoo.pspnet import _PSPHead, _PyramidPooling
from mxnet.gluon import HybridBlock, nn

from semseg.networks.base import ResizeLike, SegmentationNetwork

_GRIDS = (1, 2, 3, 6)


class PyramidPooling(_PyramidPooling):
    """Averages of the image on grids of 1, 2, 3 and 6 cells a side, put beside the features.

    Unlike GluonCV's it resizes to the features' own size, so that images of any size pass.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels, norm_layer=nn.BatchNorm, norm_kwargs=None)
        # One for each branch, so that each has a name of its own in the graph.
        self.resize1, self.resize2 = ResizeLike(), ResizeLike()
        self.resize3, self.resize4 = ResizeLike(), ResizeLike()

    def hybrid_forward(self, F: Any, features: Any) -> Any:
        branches = (
            (self.conv1, self.resize1),
            (self.conv2, self.resize2),
            (self.conv3, self.resize3),
            (self.conv4, self.resize4),
        )
        pooled = (
            resize(conv(self.pool(F, features, grid)), features)
            for (conv, resize), grid in zip(branches, _GRIDS, strict=True)
        )
        return F.concat(features, *pooled, dim=1)


class PSP(SegmentationNetwork):
    """Pyramid pooling, then one 3x3 and one 1x1 convolution."""

    def make_head(self, num_classes: int) -> HybridBlock:
        head = _PSPHead(num_classes)
        head.psp = PyramidPooling(2048)
        return head
