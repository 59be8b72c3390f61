"""The folders and files that SageMaker puts under `/opt/ml` before it starts a container."""

import shutil
from pathlib import Path

CHANNELS = ("train", "train_annotation", "validation", "validation_annotation")


def prepare(base: Path, hyperparameters: Path, platform: Path, data: Path | None = None) -> Path:
    """Lays out a tree for one training job and returns it.

    Args:
        base: stands for `/opt/ml`; what an earlier job left in it is removed.
        hyperparameters: the job's hyperparameters.json.
        platform: folder with inputdataconfig.json and resourceconfig.json.
        data: folder of channels to link to; without it the tree's own channels stay.
    """
    for leftover in ("model", "output", "input/config"):
        shutil.rmtree(base / leftover, ignore_errors=True)
        (base / leftover).mkdir(parents=True)
    config = base / "input" / "config"
    shutil.copyfile(hyperparameters, config / "hyperparameters.json")
    for name in ("inputdataconfig.json", "resourceconfig.json"):
        shutil.copyfile(platform / name, config / name)
    channels = base / "input" / "data"
    channels.mkdir(parents=True, exist_ok=True)
    if data is not None:
        for name in CHANNELS:
            link = channels / name
            link.unlink(missing_ok=True)
            link.symlink_to((data / name).resolve(strict=True), target_is_directory=True)
    return base
