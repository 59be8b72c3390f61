"""Encoded images and masks, and RecordIO made of them."""

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from semseg.sagemaker.recordio import frame

SIZE = (24, 16)


def encoded(picture: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def image(seed: int = 0, size: tuple[int, int] = SIZE, kind: str = "JPEG") -> bytes:
    """Noise in colour."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return encoded(Image.fromarray(pixels), kind)


def mask(*labels: int, size: tuple[int, int] = SIZE, mode: str = "L", palette: int = 7) -> bytes:
    """A PNG in whose first row the labels take turns, the rest being the first."""
    pixels = np.full((size[1], size[0]), labels[0], np.uint8)
    pixels[0] = np.resize(labels, size[0])
    picture = Image.fromarray(pixels)
    if mode == "P":
        picture = picture.convert("P")
        picture.putpalette(bytes((number * palette) % 256 for number in range(768)))
    return encoded(picture, "PNG")


def pairs(count: int) -> list[bytes]:
    """Payloads of that many images and masks, by turns; all pixels of the mask n are n."""
    return [payload for n in range(count) for payload in (image(n), mask(n))]


def records(payloads: Iterable[bytes]) -> bytes:
    return b"".join(map(frame, payloads))


def offset(payloads: list[bytes], number: int) -> int:
    """Where a record starts."""
    return len(records(payloads[:number]))


def write_records(path: Path, payloads: Iterable[bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(records(payloads))
    return path
