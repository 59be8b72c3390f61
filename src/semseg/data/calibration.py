"""Images that show a trained model what values it will meet, before it computes in int8."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from semseg.data.images import ImageError, read_image
from semseg.data.normalization import normalize
from semseg.data.sources import Source
from semseg.sagemaker.errors import CustomerError

T = TypeVar("T")

# Ranges no longer grow much after some ten images.
SAMPLE = 32

# Larger images are made smaller: ranges hardly change, and memory would be wanted for them.
_MOST_PIXELS = 640 * 640


def evenly_spaced(items: Sequence[T], count: int = SAMPLE) -> tuple[T, ...]:
    """`count` of the items, as evenly spread as can be; the same ones each time."""
    count = min(count, len(items))
    return tuple(items[number * len(items) // count] for number in range(count))


def whole_images(sources: Iterable[Source]) -> Iterator[npt.NDArray[np.float32]]:
    """Each image by itself as a network takes it: normalized, float32 (1,3,H,W).

    Raises:
        CustomerError: one cannot be used.
    """
    for source in sources:
        try:
            image = read_image(source)
        except ImageError as error:
            raise CustomerError(f"{source}: {error}") from error
        too_large = image.width * image.height / _MOST_PIXELS
        if too_large > 1:
            width, height = (max(1, int(side / too_large**0.5)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        yield normalize(np.asarray(image))[None]
