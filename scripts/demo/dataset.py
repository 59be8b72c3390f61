"""Writes drawn pictures as SageMaker's channels, and a few more for the questions afterwards."""

import random
import shutil
from pathlib import Path

from scripts.demo.shapes import draw_scene

HELD_OUT = 40


def write_dataset(base: Path, held_out: Path, training: int, validation: int, seed: int) -> None:
    """Draws all pictures anew; the same seed gives the same pictures.

    Args:
        base: stands for `/opt/ml`.
        held_out: folder for the pictures that training never sees.
        training: number of pictures in the channel `train`.
        validation: number of pictures in the channel `validation`.
        seed: of the random numbers.
    """
    rng = random.Random(seed)
    data = base / "input" / "data"
    for folder in (data, held_out):
        shutil.rmtree(folder, ignore_errors=True)
    _write(rng, training, data / "train", data / "train_annotation")
    _write(rng, validation, data / "validation", data / "validation_annotation")
    _write(rng, HELD_OUT, held_out / "images", held_out / "masks")


def _write(rng: random.Random, count: int, images: Path, masks: Path) -> None:
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for number in range(count):
        image, mask = draw_scene(rng)
        image.save(images / f"{number:03}.jpg", quality=92)
        mask.save(masks / f"{number:03}.png")
