"""The loss: cross entropy over labelled pixels, the auxiliary head's added with a weight.

GluonCV's `MixSoftmaxCrossEntropyLoss` stands on MXNet's `SoftmaxOutput`, whose gradient ignores
whatever comes after it: there the auxiliary weight changes the number printed and nothing else.
This one is built from operators that differentiate as they should.
"""

from typing import Any

from mxnet.gluon import HybridBlock

from semseg.data.augmentation import IGNORE

IGNORE_LABEL = IGNORE


class SegmentationLoss(HybridBlock):
    """A device's share in the mean cross entropy over all labelled pixels of a batch, one number.

    Forward: masks uint8 (N,H,W) with 255 for pixels to ignore; how many labelled pixels the whole
    batch has, at least 1, float32 (1,); logits float32 (N,C,H,W); and the auxiliary head's logits
    where there is one. The shares of all devices add up to the mean, and their gradients to its
    gradient, however the batch is divided. A batch without a labelled pixel has loss 0.

    Args:
        aux_weight: weight of the auxiliary head's cross entropy.
    """

    def __init__(self, aux_weight: float) -> None:
        super().__init__()
        self._aux_weight = aux_weight

    def hybrid_forward(
        self, F: Any, masks: Any, pixels: Any, logits: Any, aux_logits: Any = None
    ) -> Any:
        labels = F.cast(masks, "float32")
        labelled = labels != IGNORE_LABEL
        loss = self._cross_entropy(F, logits, labels, labelled, pixels)
        if aux_logits is None:
            return loss
        aux_loss = self._cross_entropy(F, aux_logits, labels, labelled, pixels)
        return loss + self._aux_weight * aux_loss

    @staticmethod
    def _cross_entropy(F: Any, logits: Any, labels: Any, labelled: Any, pixels: Any) -> Any:
        # `pick` clips the ignore label to the last class; the product takes those pixels out.
        likelihood = F.pick(F.log_softmax(logits, axis=1), labels, axis=1)
        return F.broadcast_div(-F.sum(likelihood * labelled), pixels)
