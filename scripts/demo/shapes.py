"""Pictures to learn from: discs, squares and triangles on textured grounds, with their masks."""

import colorsys
import math
import random
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

CLASSES = ("background", "disc", "square", "triangle")
# One colour for each class, used in the masks' palette and in the result sheet.
PALETTE = ((40, 40, 40), (230, 120, 30), (60, 140, 220), (80, 180, 80))

# The hues of each class' shapes, 0 to 1 around the colour wheel; the background has them all.
_HUES = ((0.0, 1.0), (-0.06, 0.14), (0.52, 0.7), (0.24, 0.42))

# Shapes are drawn this many times larger and scaled down, which smooths their edges.
_OVERSAMPLING = 4

Pixels = npt.NDArray[np.float32]
Colour = npt.NDArray[np.float32]
Point = tuple[float, float]


def draw_scene(rng: random.Random) -> tuple[Image.Image, Image.Image]:
    """One picture (RGB) and its mask (palette mode, pixel value = class), 96 to 128 pixels a side.

    Each kind of shape has its family of colours (discs red to yellow, squares blue, triangles
    green), in any shade and texture; grounds are of any hue, but paler.
    """
    width, height = rng.randrange(96, 129), rng.randrange(96, 129)
    pixels = _texture(rng, width, height, _ground_colour(rng))
    mask = np.zeros((height, width), np.uint8)
    for _ in range(rng.randrange(1, 4)):
        label = rng.randrange(1, len(CLASSES))
        cover = _cover(rng, label, width, height)
        fill = _texture(rng, width, height, _shape_colour(rng, label))
        pixels += cover[..., None] * (fill - pixels)
        mask[cover > 0.5] = label
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(2, 7), pixels.shape)
    image = Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))
    return image, _with_palette(mask)


def _with_palette(mask: npt.NDArray[np.uint8]) -> Image.Image:
    image = Image.fromarray(mask).convert("P")
    image.putdata(mask.ravel().tolist())
    image.putpalette([value for colour in PALETTE for value in colour])
    return image


def _ground_colour(rng: random.Random) -> Colour:
    return _colour(rng.random(), rng.uniform(0.05, 0.3), rng.uniform(0.25, 0.9))


def _shape_colour(rng: random.Random, label: int) -> Colour:
    return _colour(rng.uniform(*_HUES[label]), rng.uniform(0.55, 1), rng.uniform(0.45, 1))


def _colour(hue: float, saturation: float, value: float) -> Colour:
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32) * 255


def _texture(rng: random.Random, width: int, height: int, colour: Colour) -> Pixels:
    """Pixels (H,W,3) around a colour: even, shaded, striped, chequered or cloudy."""
    kind: Callable[..., npt.NDArray[np.float32]] = rng.choice(
        [_even, _shading, _stripes, _chequers, _clouds]
    )
    strength = rng.uniform(10, 28)
    return colour + strength * kind(rng, width, height)[..., None]


def _even(rng: random.Random, width: int, height: int) -> Pixels:
    return np.zeros((height, width), np.float32)


def _shading(rng: random.Random, width: int, height: int) -> Pixels:
    return np.divide(_slope(rng, width, height), max(width, height) / 2, dtype=np.float32)


def _stripes(rng: random.Random, width: int, height: int) -> Pixels:
    phase = _slope(rng, width, height) * 2 * math.pi / rng.uniform(5, 14)
    return np.asarray(np.sign(np.sin(phase)), np.float32)


def _chequers(rng: random.Random, width: int, height: int) -> Pixels:
    side = rng.randrange(4, 10)
    rows, columns = np.indices((height, width))
    return np.asarray((rows // side + columns // side) % 2 * 2 - 1, np.float32)


def _clouds(rng: random.Random, width: int, height: int) -> Pixels:
    noise = np.random.default_rng(rng.getrandbits(32)).integers(0, 256, (height, width), np.uint8)
    soft = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(rng.uniform(2, 5)))
    values = np.asarray(soft, np.float32)
    spread = max(1.0, float(values.std()))
    return np.asarray((values - float(values.mean())) / spread, np.float32)


def _slope(rng: random.Random, width: int, height: int) -> Pixels:
    """Distance from the middle along a random direction, in pixels."""
    angle = rng.uniform(0, 2 * math.pi)
    rows, columns = np.indices((height, width))
    along = (columns - width / 2) * math.cos(angle) + (rows - height / 2) * math.sin(angle)
    return np.asarray(along, np.float32)


def _cover(rng: random.Random, label: int, width: int, height: int) -> Pixels:
    """How much of each pixel (H,W) a shape of this class covers, 0 to 1."""
    radius = rng.uniform(19, 34)
    centre = (rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height)
    scale = _OVERSAMPLING
    large = Image.new("L", (width * scale, height * scale))
    draw = ImageDraw.Draw(large)
    name = CLASSES[label]
    if name == "disc":
        corners = [(centre[axis] + sign * radius) * scale for sign in (-1, 1) for axis in (0, 1)]
        draw.ellipse(corners, fill=255)
    else:
        draw.polygon(_polygon(rng, 4 if name == "square" else 3, centre, radius, scale), fill=255)
    small = large.resize((width, height), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / 255


def _polygon(
    rng: random.Random, corners: int, centre: Point, radius: float, scale: int
) -> list[Point]:
    """A regular polygon, turned by a random angle."""
    turn = rng.uniform(0, 2 * math.pi)
    reach = radius * (1.1 if corners == 4 else 1.25)
    angles = [turn + 2 * math.pi * corner / corners for corner in range(corners)]
    return [
        ((centre[0] + reach * math.cos(a)) * scale, (centre[1] + reach * math.sin(a)) * scale)
        for a in angles
    ]
