"""The same model for everybody: an artifact, and ONNX files that `semseg export` makes of it."""

import subprocess
import sys
from pathlib import Path

from scripts.benchmarks.serving.engines import onnx_file

NETWORKS = {"fcn": "FCN", "psp": "PSP", "deeplab": "DeepLabV3"}
CLASSES = 21


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


def write_onnx(folder: Path, height: int, width: int) -> None:
    """The model of `folder/model` for one size, unless it is there."""
    file = onnx_file(folder, height, width)
    if file.exists():
        return
    semseg = str(Path(sys.executable).parent / "semseg")
    options = ["--format", "onnx", "--result", "mask", "--size", f"{height}x{width}"]
    command = [semseg, "export", str(folder / "model"), *options, "--output", str(file.parent)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
