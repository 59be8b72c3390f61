"""An image and its mask, cut to what the network sees.

The three ways are GluonCV's (`SegmentationDataset`: `_sync_transform` and `_val_sync_transform`),
with two differences. A mask is padded with 255, "ignore", where GluonCV pads with class 0. And the
whole picture is never resized: of a photograph enlarged to 1040 pixels, a crop of 240 is a
twentieth, so Pillow is asked for the crop alone. It takes the pixels beyond the crop's border into
account, so what comes out is what resizing first and cropping afterwards would give. `blur` is
Pillow's blur but for rounding.
"""

from random import Random

import numpy as np
import numpy.typing as npt
from PIL import Image

from semseg.data.blur import gaussian_blur

IGNORE = 255

Sample = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
Size = tuple[int, int]


def random_crop(
    image: Image.Image, mask: Image.Image, base_size: int, crop_size: int, rng: Random
) -> Sample:
    """A training sample: mirrored, scaled, cropped and blurred by chance.

    The long side becomes base_size x 0.5..2.0 before the crop. Takes an RGB image and a mask of
    mode "L" of the same size; returns uint8 (crop, crop, 3) and uint8 (crop, crop).
    """
    mirror = rng.random() < 0.5
    size = _with_long_side(image.size, rng.randint(int(base_size * 0.5), int(base_size * 2.0)))
    left = rng.randint(0, max(size[0] - crop_size, 0))
    top = rng.randint(0, max(size[1] - crop_size, 0))
    if mirror:  # the same window, seen from the other side
        left = max(size[0] - crop_size, 0) - left
    image = _window(image, size, (left, top), crop_size, Image.Resampling.BILINEAR)
    mask = _window(mask, size, (left, top), crop_size, Image.Resampling.NEAREST)
    if mirror:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels, labels = whole(_padded(image, crop_size, 0), _padded(mask, crop_size, IGNORE))
    if rng.random() < 0.5:
        pixels = gaussian_blur(pixels, radius=rng.random())
    return pixels, labels


def centre_crop(image: Image.Image, mask: Image.Image, crop_size: int) -> Sample:
    """A validation sample: the short side becomes crop_size, and the middle is cut out."""
    width, height = image.size
    if width > height:
        size = (int(width * crop_size / height), crop_size)
    else:
        size = (crop_size, int(height * crop_size / width))
    corner = (round((size[0] - crop_size) / 2), round((size[1] - crop_size) / 2))
    return whole(
        _window(image, size, corner, crop_size, Image.Resampling.BILINEAR),
        _window(mask, size, corner, crop_size, Image.Resampling.NEAREST),
    )


def whole(image: Image.Image, mask: Image.Image) -> Sample:
    """A sample as it is: uint8 (H, W, 3) and uint8 (H, W).

    In memory the three channels lie one after the other, as the network wants them. Pillow hands
    them out like that in a third of the time that numpy takes to part them afterwards.
    """
    pixels = np.empty((3, image.height, image.width), np.uint8)
    for plane, band in zip(pixels, "RGB", strict=True):
        plane[:] = np.frombuffer(image.tobytes("raw", band), np.uint8).reshape(plane.shape)
    return pixels.transpose(1, 2, 0), np.asarray(mask)


def _with_long_side(size: Size, long_side: int) -> Size:
    width, height = size
    if height > width:
        return max(int(width * long_side / height + 0.5), 1), long_side
    return long_side, max(int(height * long_side / width + 0.5), 1)


def _window(
    picture: Image.Image, size: Size, corner: Size, crop_size: int, method: Image.Resampling
) -> Image.Image:
    """What a square window at `corner` shows of the picture once it is resized to `size`.

    Smaller than the window where the resized picture ends before it does.
    """
    shown = (min(crop_size, size[0]), min(crop_size, size[1]))
    across, down = picture.width / size[0], picture.height / size[1]
    box = (
        corner[0] * across,
        corner[1] * down,
        min((corner[0] + shown[0]) * across, picture.width),  # not one rounding error further
        min((corner[1] + shown[1]) * down, picture.height),
    )
    return picture.resize(shown, method, box=box)


def _padded(picture: Image.Image, crop_size: int, filling: int) -> Image.Image:
    """The picture with its right and lower side filled up to the crop."""
    if picture.size == (crop_size, crop_size):
        return picture
    colour = filling if picture.mode == "L" else (filling,) * 3
    padded = Image.new(picture.mode, (crop_size, crop_size), colour)
    padded.paste(picture)
    return padded
