"""From the head's logits to a mask or probabilities of the image's size, square by square.

Logits of all classes at full size would be the largest array of all: 44 MB for 21 classes at
799x660, read and written by each step that follows. A square stays in the CPU's cache instead.
"""

from collections.abc import Iterator
from math import ceil, isqrt

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

Logits = npt.NDArray[np.float32]
Size = tuple[int, int]

# About what a core's own cache holds of logits.
_VALUES_IN_A_SQUARE = 1 << 18


def use_one_thread() -> None:
    """Keeps numpy's matrix products, all small here, to the thread that asks for them.

    Their other threads would spin for a while after each product, on the CPUs that the next image's
    network needs: up to a fifth of the time in int8.
    """
    # MXNet has an OpenBLAS of its own, whose threads are its network's, and OpenMP's.
    numpys = ThreadpoolController().select(threading_layer="pthreads")
    numpys.limit(limits=1, user_api="blas")


def mask_of(logits: Logits, size: Size) -> npt.NDArray[np.uint8]:
    """The most probable class of each pixel; the first one of several.

    Args:
        logits: the head's, float32 (C,h,w).
        size: height and width of the image.

    Returns:
        uint8 (H,W).
    """
    mask = np.zeros(size, np.uint8)
    for rows, columns, square in _squares(logits, size):
        best, labels = square[0], mask[rows, columns]
        for label, values in enumerate(square[1:], start=1):
            better = values > best
            np.copyto(labels, label, where=better, casting="unsafe")
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
    for rows, columns, square in _squares(logits, size):
        square -= square.max(axis=0)
        np.exp(square, out=square)
        np.divide(square, square.sum(axis=0), out=probabilities[:, rows, columns])
    return probabilities


def _squares(logits: Logits, size: Size) -> Iterator[tuple[slice, slice, Logits]]:
    """Rows and columns of the image, and their logits (C,rows,columns), resized bilinearly.

    By matrix products, which are quick, of matrices that do not grow with the image.
    """
    classes, coarse_height, coarse_width = logits.shape
    side = max(1, isqrt(_VALUES_IN_A_SQUARE // classes))
    for columns in _pieces(size[1], side):
        near_columns, across = _bilinear_matrix(columns, size[1], coarse_width)
        for rows in _pieces(size[0], side):
            near_rows, down = _bilinear_matrix(rows, size[0], coarse_height)
            tall = np.matmul(down, logits[:, near_rows, near_columns])
            square = tall.reshape(-1, across.shape[1]) @ across.T
            yield rows, columns, square.reshape(classes, -1, len(across))


def _pieces(side: int, most: int) -> Iterator[slice]:
    return (slice(start, min(start + most, side)) for start in range(0, side, most))


def _bilinear_matrix(piece: slice, fine: int, coarse: int) -> tuple[slice, npt.NDArray[np.float32]]:
    """Of `coarse` points those near a piece of `fine` points, corners aligned.

    Returns:
        The k near points, and what each adds to each of the piece's n points: float32 (n,k).
    """
    places = np.arange(piece.start, piece.stop) * ((coarse - 1) / max(fine - 1, 1))
    first, last = int(places[0]), min(ceil(places[-1]), coarse - 1)
    distances = np.abs(places[:, None] - np.arange(first, last + 1))
    return slice(first, last + 1), np.maximum(1 - distances, 0).astype(np.float32)
