"""The same model for everybody: an artifact, and ONNX files that `semseg export` makes of it."""

import shutil
import subprocess
import sys
from pathlib import Path

from scripts.benchmarks.serving.engines import onnx_file
from scripts.benchmarks.serving.pictures import jpeg
from semseg.networks.artifact import BEST, CONFIGURATION, read_artifact
from semseg.networks.thresholds import THRESHOLDS, fingerprint

NETWORKS = {"fcn": "FCN", "psp": "PSP", "deeplab": "DeepLabV3"}
CLASSES = 21


def provide_artifact(algorithm: str, model: Path, trained: Path | None) -> None:
    """Puts a model into a folder, unless it is there already.

    Args:
        algorithm: of the network.
        model: the folder.
        trained: a folder with an artifact for each algorithm; None for random weights.
    """
    if not (model / BEST).exists():
        if trained:
            copy_artifact(trained / algorithm, model)
        else:
            write_random_artifact(model, algorithm)
    elif trained:
        there, wanted = model / BEST, read_artifact(trained / algorithm).parameters
        if fingerprint(there) != fingerprint(wanted):
            sys.exit(f"{there} is another model than {wanted}: choose another --place.")


def write_random_artifact(model: Path, algorithm: str) -> None:
    """A model on ResNet-50 with random weights, as `train` would leave it."""
    import mxnet as mx

    from semseg.networks import artifact
    from semseg.networks.zoo import build

    model.mkdir(parents=True, exist_ok=True)
    mx.random.seed(1)
    network = build(algorithm, "resnet-50", CLASSES)
    network.start_untrained(mx.cpu())
    artifact.write_configuration(
        model,
        {
            "algorithm": algorithm,
            "backbone": "resnet-50",
            "num_classes": str(CLASSES),
            "crop_size": "240",
        },
    )
    artifact.write_parameters(model / artifact.BEST, network)


def copy_artifact(trained: Path, model: Path) -> None:
    """A trained model, which stays as it is: thresholds will lie beside the copy."""
    artifact = read_artifact(trained)
    model.mkdir(parents=True, exist_ok=True)
    for file in (artifact.parameters.with_name(CONFIGURATION), artifact.parameters):
        shutil.copy(file, model)


def quantize(folder: Path) -> None:
    """Calibrates the model of `folder/model` for int8 on the benchmark's picture, unless it is."""
    if (folder / "model" / THRESHOLDS).exists():
        return
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    (pictures / "picture.jpg").write_bytes(jpeg(480, 480))
    _semseg("quantize", str(folder / "model"), str(pictures))


def write_onnx(folder: Path, height: int, width: int) -> None:
    """The model of `folder/model` for one size, unless it is there."""
    file = onnx_file(folder, height, width)
    if file.exists():
        return
    size = ["--size", f"{height}x{width}", "--result", "mask"]
    model = str(folder / "model")
    _semseg("export", model, "--format", "onnx", *size, "--output", str(file.parent))


def _semseg(*arguments: str) -> None:
    program = str(Path(sys.executable).parent / "semseg")
    subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL)
