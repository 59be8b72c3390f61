"""Images to be asked about."""

import numpy as np
from PIL import Image


def picture(height: int, width: int) -> np.ndarray:
    """RGB pixels, uint8 (H,W,3), with patches of some 30 pixels and no edges between them."""
    patches = (height // 30 + 2, width // 30 + 2, 3)
    noise = np.random.default_rng(height).integers(0, 256, patches, np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))
