"""Small datasets, written as SageMaker lays them out."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semseg.data.pairs import Pair
from semseg.sagemaker.channels import Channel, Channels

NAMES = ("train", "train_annotation", "validation", "validation_annotation")


class Folder:
    """A folder of channels and short ways to fill it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in NAMES:
            (root / name).mkdir()
        self.channels = Channels(
            **{name: Channel(name, root / name, None, "File") for name in NAMES}
        )

    def image(self, name: str, size: tuple[int, int] = (24, 16), seed: int = 0) -> Path:
        """Noise at `train/a.jpg` or wherever `name` says."""
        pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
        return self._save(Image.fromarray(pixels), name)

    def mask(
        self, name: str, size: tuple[int, int] = (24, 16), labels: tuple[int, ...] = (0, 1)
    ) -> Path:
        """A greyscale PNG in whose first row the labels take turns, the rest being the first."""
        pixels = np.full((size[1], size[0]), labels[0], np.uint8)
        pixels[0] = np.resize(labels, size[0])
        return self._save(Image.fromarray(pixels), name)

    def pair(self, split: str, name: str, **mask: tuple[int, ...]) -> None:
        self.image(f"{split}/{name}.jpg", seed=sum(name.encode()))
        self.mask(f"{split}_annotation/{name}.png", **mask)

    def sound(self) -> "Folder":
        """Three pairs to train on, two to validate on."""
        for name in ("a", "b", "nested/c"):
            self.pair("train", name)
        for name in ("v", "w"):
            self.pair("validation", name)
        return self

    def _save(self, picture: Image.Image, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
        return path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def make_pairs(tmp_path: Path) -> Callable[[int], list[Pair]]:
    """`count` pairs of different sizes; the mask of pair n is filled with n."""

    def make(count: int) -> list[Pair]:
        rng = random.Random(count)
        pairs = []
        for number in range(count):
            size = (rng.randint(20, 60), rng.randint(20, 60))
            image, mask = tmp_path / f"{number}.jpg", tmp_path / f"{number}.png"
            pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
            Image.fromarray(pixels).save(image)
            Image.new("L", size, number).save(mask)
            pairs.append(Pair(str(number), image, mask))
        return pairs

    return make
