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

    def hybrid_forward(self, F: Any, features: Any, like: Any) -> Any:
        """Forward: features (N,2048,h,w) to (N,256,h,w); of `like` only height and width matter."""
        if self.given is not None:
            return self.given
        return self.resize(self.gap(features), like)


class Branches(HybridConcurrent):
    """GluonCV's branches side by side; the last one is an `ImagePooling`.

    It takes height and width from another branch, which has fewer channels than the features: MXNet
    does not read a size without bringing all of a tensor into its own order, and into float32.
    """

    def hybrid_forward(self, F: Any, features: Any) -> Any:
        *atrous, pooling = self._children.values()
        maps = [branch(features) for branch in atrous]
        return F.concat(*maps, pooling(features, maps[0]), dim=self.axis)


class DeepLab(SegmentationNetwork):
    """Atrous spatial pyramid pooling at rates 12, 24 and 36 beside the image's average."""

    def make_head(self, num_classes: int) -> HybridBlock:
        head = _DeepLabHead(num_classes)
        # The last of GluonCV's five branches has a fixed size; the four others are kept.
        *atrous, _ = head.aspp.concurent
        branches = Branches(axis=1)
        with branches.name_scope():
            branches.add(*atrous)
            branches.add(ImagePooling(2048, 256))
        head.aspp.concurent = branches
        return head
