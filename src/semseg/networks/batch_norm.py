"""What batch normalization comes to in inference, where its statistics do not change."""

import numpy as np
import numpy.typing as npt

_Channels = npt.NDArray[np.float32]


def scale_and_shift(
    gamma: _Channels, beta: _Channels, mean: _Channels, variance: _Channels, epsilon: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What each channel is multiplied by, and what is added then: (C,) each."""
    scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    return scale, beta - scale * mean
