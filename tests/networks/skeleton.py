"""Parameter files that tell which network they are of, and hold next to nothing else."""

import tarfile
from pathlib import Path

import mxnet as mx

from semseg.networks.artifact import BEST, write_configuration

_BLOCKS = {"resnet-50": 6, "resnet-101": 23}
_HEADS = {"fcn": (), "psp": ("head.psp.conv1.0.weight",), "deeplab": ("head.aspp.b0.0.weight",)}


def save_skeleton(
    path: Path, algorithm: str = "fcn", backbone: str = "resnet-50", num_classes: int = 3
) -> Path:
    """A Gluon parameter file by which this network is known."""
    names = ["conv1.0.weight", "layer4.2.conv3.weight", *_HEADS[algorithm]]
    names += [f"layer3.{number}.conv1.weight" for number in range(_BLOCKS[backbone])]
    arrays = {name: mx.nd.zeros((1,)) for name in names}
    arrays["head.block.4.weight"] = mx.nd.zeros((num_classes, 1))
    mx.nd.save(str(path), arrays)
    return path


def save_model(folder: Path, configuration: dict[str, str], **network: str | int) -> Path:
    """A model folder of such a network."""
    folder.mkdir(parents=True, exist_ok=True)
    save_skeleton(folder / BEST, **network)
    write_configuration(folder, configuration)
    return folder


def pack(model: Path, archive: Path) -> Path:
    """A model folder as SageMaker packs it."""
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        for path in sorted(model.iterdir()):
            packed.add(path, path.name)
    return archive
