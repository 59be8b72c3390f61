"""How large an image may be before a worker runs out of memory."""

from semseg.runtime import available_memory

# A worker without any image: the interpreter, MXNet, the parameters, oneDNN's kernels.
_WORKER_BYTES = 1 << 30

# What a forward takes for each pixel, and for each pixel and class. Measured with 21 classes at 1
# to 4 megapixels: 757 (FCN, mask) to 1228 (DeepLabV3, probabilities) a pixel. The logits, their
# softmax, the array and its encoding are there at the same time.
_BYTES_A_PIXEL = 1100
_BYTES_A_PIXEL_AND_CLASS = 16

# Larger images take a CPU more than SageMaker's minute.
MOST_PIXELS = 16_777_216
_FEWEST_PIXELS = 512 * 512


def affordable_pixels(num_classes: int, workers: int, memory: int | None = None) -> int:
    """Pixels of the largest image that each of `workers` can take at the same time.

    Args:
        num_classes: classes of the model.
        workers: processes that share the memory.
        memory: bytes; all that the container has if None.
    """
    share = (available_memory() if memory is None else memory) // workers - _WORKER_BYTES
    pixels = share // (_BYTES_A_PIXEL + _BYTES_A_PIXEL_AND_CLASS * num_classes)
    return max(_FEWEST_PIXELS, min(MOST_PIXELS, pixels))
