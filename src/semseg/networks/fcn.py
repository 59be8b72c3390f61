"""FCN: Long, Shelhamer and Darrell, "Fully convolutional networks for semantic segmentation"."""

from gluoncv.model_zoo.fcn import _FCNHead
from mxnet.gluon import HybridBlock

from semseg.networks.base import SegmentationNetwork


class FCN(SegmentationNetwork):
    """One 3x3 and one 1x1 convolution on the last stage."""

    def make_head(self, num_classes: int) -> HybridBlock:
        return _FCNHead(2048, num_classes)
