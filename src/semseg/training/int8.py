"""The int8 form of a trained model: calibrated on images, and compared with float32.

Both are computed on the CPU, wherever the model was trained: that is where int8 is served.
"""

from collections.abc import Iterable

import mxnet as mx
import numpy as np
import numpy.typing as npt

from semseg.data.assembly import Batch
from semseg.inference.forward import Forward
from semseg.networks.artifact import Artifact
from semseg.networks.folding import fold_batch_normalization
from semseg.networks.graph import fused, read_graph
from semseg.networks.quantization import Calibration, quantized
from semseg.networks.thresholds import Ranges, Report, Scores, Thresholds, fingerprint
from semseg.training.evaluation import predict_masks
from semseg.training.scores import ConfusionMatrix

# Validation crops, all of one size; what is prepared for larger images might not fit into memory.
_PREPARED_PIXELS = 512 * 512


def calibrate(artifact: Artifact, images: Iterable[npt.NDArray[np.float32]]) -> Thresholds:
    """Finds the ranges of an artifact's tensors.

    Args:
        artifact: the trained model.
        images: normalized images (N,3,H,W), such as the model will see.
    """
    calibration = Calibration(fold_batch_normalization(read_graph(artifact)))
    for batch in images:
        calibration.watch(batch)
    return Thresholds(
        parameters_sha256=fingerprint(artifact.parameters),
        images=calibration.images,
        ranges=calibration.ranges(),
    )


def compare(artifact: Artifact, ranges: Ranges, labelled: Iterable[Batch]) -> Report:
    """Scores a network in float32 and in int8 on the same labelled images.

    They are computed as a job's validation computes them, in one piece, but one at a time: memory
    is the host's here, and a batch may be of a size for GPUs.
    """
    graph = fold_batch_normalization(read_graph(artifact, resized=True))
    networks = [
        Forward(one, mx.cpu(), most_pixels=_PREPARED_PIXELS)
        for one in (fused(graph), quantized(graph, ranges))
    ]
    confusions = [ConfusionMatrix(artifact.architecture.num_classes) for _ in networks]
    images = pixels = same = 0
    for batch in labelled:
        masks = [_masks(network, batch.images) for network in networks]
        for confusion, mask in zip(confusions, masks, strict=True):
            confusion.add(batch.masks, mask)
        images += len(batch.images)
        pixels += batch.masks.size
        same += int(np.count_nonzero(masks[0] == masks[1]))
    float32, int8 = (Scores(miou=one.miou, pixel_accuracy=one.pixel_accuracy) for one in confusions)
    same_class = same / max(1, pixels)
    return Report(images=images, float32=float32, int8=int8, same_class=same_class)


def _masks(network: Forward, images: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The most probable classes, uint8 (N,H,W), of normalized images (N,3,H,W)."""
    masks = [predict_masks(network, mx.nd.array(image[None])).asnumpy() for image in images]
    return np.concatenate(masks)
