"""Pixels to network input: ImageNet's mean and standard deviation, channels first.

The figures are those GluonCV's backbones were trained with; training and serving share this one
function, so they cannot drift apart.
"""

import numpy as np
import numpy.typing as npt

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

# (pixel / 255 - mean) / std = pixel * FACTOR - OFFSET: shape (3, 1, 1), over (3, H, W)
FACTOR = (1 / (255 * np.array(STD))).astype(np.float32)[:, None, None]
OFFSET = (np.array(MEAN) / np.array(STD)).astype(np.float32)[:, None, None]


def normalize(
    image: npt.NDArray[np.uint8], out: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.float32]:
    """RGB pixels, uint8 (..., H, W, 3), to contiguous float32 (..., 3, H, W): new, or `out`."""
    if image.dtype != np.uint8 or image.ndim < 3 or image.shape[-1] != 3:
        raise ValueError(f"expected uint8 (..., H, W, 3), not {image.dtype} {image.shape}")
    # If channels have to be taken apart, then while they are bytes, which is twice as fast.
    planes = np.ascontiguousarray(np.moveaxis(image, -1, -3))
    normalized = np.empty(planes.shape, np.float32) if out is None else out
    np.copyto(normalized, planes)
    normalized *= FACTOR
    normalized -= OFFSET
    return normalized
