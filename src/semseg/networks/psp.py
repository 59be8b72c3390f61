"""PSP: Zhao et al., "Pyramid scene parsing network", CVPR 2017."""

from typing import Any

from gluoncv.model_zoo.pspnet import _PSPHead, _PyramidPooling
from mxnet.gluon import HybridBlock, nn

from semseg.networks.base import ResizeLike, SegmentationNetwork
from semseg.networks.psp_inference import FactoredHead


class PyramidPooling(_PyramidPooling):
    """Averages of the image on grids of 1, 2, 3 and 6 cells a side, put beside the features.

    Unlike GluonCV's it resizes to the features' own size, so that images of any size pass.
    """

    grids = (1, 2, 3, 6)

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels, norm_layer=nn.BatchNorm, norm_kwargs=None)
        # One for each branch, so that each has a name of its own in the graph.
        self.resize1, self.resize2 = ResizeLike(), ResizeLike()
        self.resize3, self.resize4 = ResizeLike(), ResizeLike()

    def branches(self) -> tuple[Any, ...]:
        """For each grid the block from averages (N,2048,g,g) to cells (N,512,g,g)."""
        return self.conv1, self.conv2, self.conv3, self.conv4

    def hybrid_forward(self, F: Any, features: Any) -> Any:
        resizes = (self.resize1, self.resize2, self.resize3, self.resize4)
        pooled = (
            resize(branch(self.pool(F, features, grid)), features)
            for branch, resize, grid in zip(self.branches(), resizes, self.grids, strict=True)
        )
        return F.concat(features, *pooled, dim=1)


class PSP(SegmentationNetwork):
    """Pyramid pooling, then one 3x3 and one 1x1 convolution."""

    def make_head(self, num_classes: int) -> HybridBlock:
        head = _PSPHead(num_classes)
        head.psp = PyramidPooling(2048)
        return head

    def inference_head(self) -> HybridBlock:
        return FactoredHead(self.head)
