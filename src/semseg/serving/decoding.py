"""From a request's body to pixels. The bytes decide what it is, never the content type."""

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from semseg.data.images import ImageError, TooManyPixels, read_image
from semseg.serving.refusal import Refusal


def decode(body: bytes, max_pixels: int, way_out: str = "") -> NDArray[np.uint8]:
    """The RGB pixels of an image file, uint8 (H,W,3), as stored: no EXIF orientation applied.

    AWS documents `image/jpeg` only; PNG, other content types and none were seen to work there.

    Args:
        body: the file's bytes.
        max_pixels: H x W of the largest image; told from the file's header, before decoding.
        way_out: what to do about a larger image, a sentence.

    Raises:
        Refusal: 400 for an empty, truncated or damaged file, 413 for too many pixels, 415 for
            what is no image.
    """
    if not body:
        raise Refusal(400, "The request has no body: send the bytes of one JPEG or PNG file.")
    try:
        return np.asarray(read_image(body, max_pixels))
    except TooManyPixels as problem:
        raise Refusal(413, f"{problem} {way_out}".rstrip()) from problem
    except ImageError as problem:
        unknown = isinstance(problem.__cause__, UnidentifiedImageError)
        raise Refusal(415 if unknown else 400, str(problem)) from problem
