"""What the three networks share: a dilated ResNet, a head, an auxiliary head, any image size."""

from typing import Any

from gluoncv.model_zoo.fcn import _FCNHead
from gluoncv.model_zoo.segbase import SegBaseModel
from mxnet import init, nd
from mxnet.gluon import HybridBlock

# How much faster the heads learn than the backbone, as in GluonCV's recipe: they start untrained.
HEAD_LEARNING_RATE_FACTOR = 10

BACKBONE_STAGES = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")


class ResizeLike(HybridBlock):
    """Features (N,C,h,w) upsampled bilinearly to the height and width of `like` (N,·,H,W).

    GluonCV bakes the crop size into this step, which is why its networks fail on other sizes. The
    values are those of MXNet's `BilinearResize2D`, corners aligned. That operator's gradient on a
    CPU is summed by threads in a chance order, so that no seed would repeat a run, and one at a
    time, which is slow; two matrix products are neither. A network that only runs forwards, and
    whose graph others are to read, may set `one_operator`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.one_operator = False

    def hybrid_forward(self, F: Any, features: Any, like: Any) -> Any:
        if self.one_operator:
            return F.contrib.BilinearResize2D(features, like, mode="like")
        rows = bilinear_matrix(
            F, F.contrib.arange_like(like, axis=2), F.contrib.arange_like(features, axis=2)
        )
        columns = bilinear_matrix(
            F, F.contrib.arange_like(like, axis=3), F.contrib.arange_like(features, axis=3)
        )
        return F.dot(with_rows(F, features, rows), columns, transpose_b=True)


def use_one_operator(block: HybridBlock) -> None:
    """Makes every `ResizeLike` within a block a `BilinearResize2D`; for forwards only."""

    def switch(inner: Any) -> None:
        if isinstance(inner, ResizeLike):
            inner.one_operator = True

    block.apply(switch)


def bilinear_matrix(F: Any, fine: Any, coarse: Any) -> Any:
    """What each of the `coarse` points 0..h-1 adds to each of the `fine` points 0..H-1: (H,h)."""
    last = F.maximum(F.max(fine), 1)
    places = F.broadcast_mul(fine, F.broadcast_div(F.max(coarse), last))
    distances = F.abs(F.broadcast_sub(F.expand_dims(places, 1), F.expand_dims(coarse, 0)))
    return F.relu(1 - distances)


def with_rows(F: Any, features: Any, weights: Any) -> Any:
    """Features (N,C,h,w) spread over more rows: (N,C,H,w).

    Columns are best spread after rows: so both transpositions are those of small arrays.

    Args:
        F: `mxnet.nd` or `mxnet.sym`.
        features: float32 (N,C,h,w).
        weights: what each of their rows adds to each of the new ones: (H,h).
    """
    return turned(F, F.dot(turned(F, features), weights, transpose_b=True))


def turned(F: Any, maps: Any) -> Any:
    """Maps (N,C,h,w) with rows and columns exchanged. `swapaxes` takes five times as long."""
    return F.transpose(maps, axes=(0, 1, 3, 2))


class SegmentationNetwork(SegBaseModel):
    """A GluonCV segmentation network that takes images of any height and width.

    Blocks have GluonCV's names, so that parameter files go both ways between this class and
    `gluoncv.model_zoo.FCN`, `PSPNet` and `DeepLabV3`. Subclasses build the head.

    Forward: normalized images float32 (N,3,H,W) to a tuple of logits (N,C,H,W): the head's and,
    with `aux`, the auxiliary head's.

    Args:
        backbone: GluonCV's name, `resnet50` or `resnet101`.
        num_classes: C.
        aux: whether there is an auxiliary head on the third stage.
    """

    def __init__(self, backbone: str, num_classes: int, aux: bool) -> None:
        super().__init__(num_classes, aux, backbone, pretrained_base=False)
        self.resize = ResizeLike()
        with self.name_scope():
            self.head = self.make_head(num_classes)
            if aux:
                self.auxlayer = _FCNHead(1024, num_classes)
        for head in self._heads():
            head.collect_params().setattr("lr_mult", HEAD_LEARNING_RATE_FACTOR)

    def make_head(self, num_classes: int) -> HybridBlock:
        """The head: features (N,2048,h,w) to logits (N,C,h,w)."""
        raise TypeError(f"{type(self).__name__} is no network of its own: it has no head")

    def inference_head(self) -> HybridBlock:
        """The head for a network that is not trained any more: features (N,2048,h,w) to (N,C,h,w).

        The logits are the same, but it may be cheaper, and may have copied the parameters, which
        must have their values, on the CPU.
        """
        return self.head

    def start_untrained(self, *devices: Any) -> None:
        """Fills all parameters with random values, drawn from MXNet's generator; the same on each
        device.

        The heads start as GluonCV's do. A backbone without pretrained weights gets He's
        initialization (He et al. 2015), which GluonCV leaves to its users.
        """
        for head in self._heads():
            head.initialize(ctx=list(devices))
        for stage in BACKBONE_STAGES:
            getattr(self, stage).initialize(
                init.MSRAPrelu(factor_type="out", slope=0), ctx=list(devices)
            )
        # GluonCV leaves input channels open until an image comes by.
        outputs = self(nd.zeros((1, 3, 8, 8), ctx=devices[0]))
        # Convolutions put their weights into oneDNN's order, in place. MXNet does not make whoever
        # reads a weight (asnumpy, save_parameters) wait for one that has not come to that yet:
        # seen were a mixture of both orders, and "We can't generate TBlob for MKLDNN data".
        for output in outputs:
            output.wait_to_read()

    def hybrid_forward(self, F: Any, images: Any) -> tuple[Any, ...]:
        stage3, stage4 = self.base_forward(images)
        logits = self.resize(self.head(stage4), images)
        if not self.aux:
            return (logits,)
        return logits, self.resize(self.auxlayer(stage3), images)

    def _heads(self) -> list[HybridBlock]:
        return [self.head, self.auxlayer] if self.aux else [self.head]


class BackbonePath(HybridBlock):
    """A network's backbone. Forward: normalized images float32 (N,3,H,W) to (N,2048,h,w).

    Shares the network's parameters, so it always has the newest.
    """

    def __init__(self, network: SegmentationNetwork) -> None:
        super().__init__()
        for name in BACKBONE_STAGES:
            setattr(self, name, getattr(network, name))

    def hybrid_forward(self, F: Any, images: Any) -> Any:
        features = images
        for name in BACKBONE_STAGES:
            features = getattr(self, name)(features)
        return features


class MainPath(BackbonePath):
    """A network without its auxiliary head: what validation and serving need to compute.

    Forward: normalized images float32 (N,3,H,W) to logits (N,C,H,W), or to the head's own
    (N,C,h,w), an eighth of that, where whoever asks does the last step, the resizing.

    Args:
        network: has the blocks and the parameters.
        resized: whether logits have the image's height and width.
        head: in place of the network's own.
    """

    def __init__(
        self, network: SegmentationNetwork, resized: bool = True, head: HybridBlock | None = None
    ) -> None:
        super().__init__(network)
        self.head = network.head if head is None else head
        self.resize = network.resize
        self._resized = resized

    def hybrid_forward(self, F: Any, images: Any) -> Any:
        logits = self.head(super().hybrid_forward(F, images))
        return self.resize(logits, images) if self._resized else logits
