"""DeepLabV3: Chen et al., "Rethinking atrous convolution for semantic image segmentation"."""

from functools import reduce
from typing import Any

from gluoncv.model_zoo.deeplabv3 import _AsppPooling, _DeepLabHead
from mxnet.gluon import HybridBlock, nn
from mxnet.gluon.contrib.nn import HybridConcurrent

from semseg.networks.base import ResizeLike, SegmentationNetwork
from semseg.networks.image_wide import ImageWide


class ImagePooling(_AsppPooling, ImageWide):
    """The average of the whole image, spread over the features' own height and width."""

    grids = (1,)

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, norm_layer=nn.BatchNorm, norm_kwargs=None)
        self.resize = ResizeLike()

    def branches(self) -> tuple[Any, ...]:
        _, *after_pooling = self.gap
        return (lambda averages: reduce(lambda maps, layer: layer(maps), after_pooling, averages),)

    def hybrid_forward(self, F: Any, features: Any) -> Any:
        if self.given is not None:
            return self.given
        return self.resize(self.gap(features), features)


class DeepLab(SegmentationNetwork):
    """Atrous spatial pyramid pooling at rates 12, 24 and 36 beside the image's average."""

    def make_head(self, num_classes: int) -> HybridBlock:
        head = _DeepLabHead(num_classes)
        # The last of GluonCV's five branches has a fixed size; the four others are kept.
        *atrous, _ = head.aspp.concurent
        branches = HybridConcurrent(axis=1)
        with branches.name_scope():
            branches.add(*atrous)
            branches.add(ImagePooling(2048, 256))
        head.aspp.concurent = branches
        return head
