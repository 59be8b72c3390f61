"""A trained model that answers for one image of any size at a time."""

import gc
from typing import Any

import numpy as np
import numpy.typing as npt
from mxnet import nd

from semseg.data.normalization import normalize
from semseg.inference.float16 import refuse_slower_float16
from semseg.inference.forward import Forward
from semseg.inference.int8 import int8_forward, refuse_slower_int8
from semseg.inference.tiled import tiled_logits
from semseg.inference.tiling import computed_pixels
from semseg.inference.upsampling import Logits, mask_of, probabilities_of, use_one_thread
from semseg.networks.artifact import Artifact
from semseg.networks.devices import available_devices
from semseg.networks.float16 import in_float16
from semseg.networks.folding import fold_batch_normalization
from semseg.networks.graph import Graph, fused, read_graph
from semseg.networks.quantization import quantized
from semseg.networks.thresholds import Thresholds
from semseg.networks.tile_graphs import read_tile_graphs

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]

# A whole picture of a full HD camera: the largest image that is computed in one piece.
_MOST_AT_ONCE = 1920 * 1088

_WARM_UP_SIDE = 64


class Predictor:
    """Loads an artifact and predicts.

    MXNet is not made for several threads: use an instance from one thread only, the one that made
    it. numpy's matrix products keep to one thread from then on, in the whole process.

    Args:
        artifact: the trained model.
        device: MXNet context; the first GPU, or the CPU where there is none, if None.
        thresholds: of `read_thresholds`, to compute in int8, on the CPU; in float32 if None.
        float16: compute in float16, on the GPU.
        affordable: pixels that there is memory to compute at once. Larger images, and those of more
            than 1920x1088, are computed in pieces.
        proven: int8 or float16 is not compared with float32, which has been done or is not wanted.

    Raises:
        CustomerError: the parameters or the thresholds do not fit the network, or int8 or float16
            would be slower here.
    """

    def __init__(
        self,
        artifact: Artifact,
        device: Any = None,
        thresholds: Thresholds | None = None,
        affordable: int = 2 * _MOST_AT_ONCE,
        float16: bool = False,
        proven: bool = False,
    ) -> None:
        self._artifact = artifact
        self._pixels_at_once = min(affordable, _MOST_AT_ONCE)
        self._device = device or available_devices(1)[0]
        self._float16 = float16
        use_one_thread()
        graph = fold_batch_normalization(read_graph(artifact))
        # What is prepared stays in memory, and takes a copy of the weights besides.
        prepared = affordable // 2
        self._forward = Forward(self._for_device(graph), self._device, most_pixels=prepared)
        if float16 and not proven:
            float32 = Forward(graph, self._device, most_pixels=prepared)
            refuse_slower_float16(self._forward, float32, self._device)
        if thresholds is not None:
            int8 = int8_forward(quantized(graph, thresholds.ranges), prepared)
            if not proven:
                refuse_slower_int8(int8, self._forward)
            self._forward = int8

    def mask(self, image: Image) -> Mask:
        """The most probable class of each pixel.

        Args:
            image: uint8 (H,W,3), RGB.

        Returns:
            uint8 (H,W).
        """
        height, width, _ = image.shape
        return mask_of(self._logits(image), (height, width))

    def probabilities(self, image: Image) -> Probabilities:
        """The softmax over the classes for each pixel.

        Args:
            image: uint8 (H,W,3), RGB.

        Returns:
            float32 (C,H,W), each pixel's C values summing to 1.
        """
        height, width, _ = image.shape
        return probabilities_of(self._logits(image), (height, width))

    def warm_up(self) -> None:
        """Answers a small image, so that the first real one finds everything built."""
        self.mask(np.zeros((_WARM_UP_SIDE, _WARM_UP_SIDE, 3), np.uint8))

    def _logits(self, image: Image) -> Logits:
        """The head's, float32 (C,h,w)."""
        height, width, _ = image.shape
        if computed_pixels(height, width) > self._pixels_at_once:
            return self._tiled_logits(image)
        logits = self._forward(nd.array(normalize(image)[None], ctx=self._device))
        return np.asarray(logits[0].asnumpy(), np.float32)

    def _tiled_logits(self, image: Image) -> Logits:
        self._forward.forget()  # the memory is for what follows
        # Read anew for each of these rare images, rather than kept for good.
        graphs = read_tile_graphs(self._artifact)
        gc.collect()  # the network they were made of: Gluon's blocks refer to each other in circles
        return tiled_logits(
            image,
            self._pixels_at_once,
            self._forward if graphs is None else graphs.changed(self._for_device),
            self._artifact.architecture.algorithm,
            self._device,
        )

    def _for_device(self, graph: Graph) -> Graph:
        if self._float16:
            return in_float16(graph)
        return fused(graph) if self._device.device_type == "cpu" else graph
