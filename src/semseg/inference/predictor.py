"""A trained model that answers for one image of any size at a time."""

from typing import Any

import mxnet as mx
import numpy as np
import numpy.typing as npt
from mxnet import nd

from semseg.data.normalization import normalize
from semseg.networks.artifact import Artifact
from semseg.networks.base import MainPath
from semseg.networks.loading import load_network

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]
Probabilities = npt.NDArray[np.float32]

_WARM_UP_SIDE = 64


class Predictor:
    """Loads an artifact and predicts.

    MXNet is not made for several threads: use an instance from one thread only, the one that made
    it.

    Args:
        artifact: the trained model.
        device: MXNet context; the first GPU, or the CPU where there is none, if None.

    Raises:
        CustomerError: the parameters do not fit the network.
    """

    def __init__(self, artifact: Artifact, device: Any = None) -> None:
        self._device = device or (mx.gpu(0) if mx.context.num_gpus() else mx.cpu())
        self._network = MainPath(load_network(artifact, self._device))
        self._network.hybridize(static_alloc=True)

    def mask(self, image: Image) -> Mask:
        """The most probable class of each pixel.

        Args:
            image: uint8 (H,W,3), RGB.

        Returns:
            uint8 (H,W).
        """
        classes = nd.argmax(self._logits(image), axis=1).astype("uint8")
        return np.asarray(classes[0].asnumpy(), np.uint8)

    def probabilities(self, image: Image) -> Probabilities:
        """The softmax over the classes for each pixel.

        Args:
            image: uint8 (H,W,3), RGB.

        Returns:
            float32 (C,H,W), each pixel's C values summing to 1.
        """
        probabilities = nd.softmax(self._logits(image), axis=1)
        return np.asarray(probabilities[0].asnumpy(), np.float32)

    def warm_up(self) -> None:
        """Answers a small image, so that the first real one finds everything built."""
        self.mask(np.zeros((_WARM_UP_SIDE, _WARM_UP_SIDE, 3), np.uint8))

    def _logits(self, image: Image) -> Any:
        return self._network(nd.array(normalize(image)[None], ctx=self._device))
