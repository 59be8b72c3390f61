"""The picture that every contender is shown."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter


def jpeg(height: int, width: int) -> bytes:
    """A JPEG that is neither empty nor mere noise."""
    noise = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    image = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(3))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def decode(data: bytes) -> NDArray[np.uint8]:
    """RGB pixels, uint8 (H,W,3)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def encode(mask: NDArray[np.uint8]) -> bytes:
    """A mask, uint8 (H,W), as PNG."""
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return file.getvalue()
