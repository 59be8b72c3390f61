"""From the head's logits to a mask or probabilities of the image's size, by bands of rows.

Logits of all classes at full size would be the largest array of all: 44 MB for 21 classes at
799x660, read and written by each step that follows. A band stays in the CPU's cache instead.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from mxnet import nd

from semseg.networks.base import bilinear_shares

Logits = npt.NDArray[np.float32]
Size = tuple[int, int]

# About what a core's own cache holds of logits.
_VALUES_IN_A_BAND = 1 << 18


def mask_of(logits: Logits, size: Size) -> npt.NDArray[np.uint8]:
    """The most probable class of each pixel; the first one of several.

    Args:
        logits: the head's, float32 (C,h,w).
        size: height and width of the image.

    Returns:
        uint8 (H,W).
    """
    mask = np.zeros(size, np.uint8)
    for rows, band in _bands(logits, size):
        best = band[0]
        for label, values in enumerate(band[1:], start=1):
            better = values > best
            np.copyto(mask[rows], label, where=better, casting="unsafe")
            np.maximum(best, values, out=best)
    return mask


def probabilities_of(logits: Logits, size: Size) -> npt.NDArray[np.float32]:
    """The softmax over the classes for each pixel.

    Args:
        logits: the head's, float32 (C,h,w).
        size: height and width of the image.

    Returns:
        float32 (C,H,W).
    """
    probabilities = np.empty((len(logits), *size), np.float32)
    for rows, band in _bands(logits, size):
        band -= band.max(axis=0)
        np.exp(band, out=band)
        np.divide(band, band.sum(axis=0), out=probabilities[:, rows])
    return probabilities


def _bands(logits: Logits, size: Size) -> Iterator[tuple[slice, Logits]]:
    """Rows of the image from top to bottom, and their logits (C,rows,W), resized bilinearly."""
    height, width = size
    classes, coarse_height, coarse_width = logits.shape
    down = _shares(height, coarse_height)
    across = _shares(width, coarse_width).T
    rows_in_a_band = max(1, _VALUES_IN_A_BAND // (classes * width))
    for start in range(0, height, rows_in_a_band):
        rows = slice(start, min(start + rows_in_a_band, height))
        tall = np.matmul(down[rows], logits).reshape(-1, coarse_width)
        yield rows, (tall @ across).reshape(classes, -1, width)


def _shares(fine: int, coarse: int) -> npt.NDArray[np.float32]:
    shares = bilinear_shares(nd, nd.arange(fine), nd.arange(coarse))
    return np.asarray(shares.asnumpy(), np.float32)
