"""One function for each way to run a network: it loads the model and returns what makes masks.

Each is called in a process, and but for ONNX Runtime and OpenVINO in an environment, of its own; so
what they need is imported inside.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# From a decoded image, uint8 (H,W,3), to its mask, uint8 (H,W).
Engine = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
# From the folder of the model's files and the images' height and width.
Load = Callable[[Path, int, int], Engine]


def gluoncv(folder: Path, height: int, width: int) -> Engine:
    """GluonCV's own class as its tutorials run it, told the size beforehand, and hybridized."""
    import mxnet as mx
    from gluoncv.model_zoo import FCN, DeepLabV3, PSPNet
    from mxnet.gluon.data.vision import transforms

    from semseg.networks.artifact import read_artifact

    artifact = read_artifact(folder / "model")
    algorithm = artifact.architecture.algorithm
    network = {"fcn": FCN, "psp": PSPNet, "deeplab": DeepLabV3}[algorithm](
        artifact.architecture.num_classes,
        backbone=artifact.architecture.backbone.replace("-", ""),
        aux=False,
        pretrained_base=False,
    )
    network.load_parameters(str(artifact.parameters), ignore_extra=True)
    network._up_kwargs = {"height": height, "width": width}
    coarse = {"height": math.ceil(height / 8), "width": math.ceil(width / 8)}
    if algorithm == "psp":
        network.head.psp._up_kwargs = coarse
    elif algorithm == "deeplab":
        network.head.aspp.concurent[-1]._up_kwargs = coarse
    network.hybridize(static_alloc=True, static_shape=True)
    normalize = transforms.Compose(
        [
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )

    def mask(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        batch = normalize(mx.nd.array(image, dtype="uint8")).expand_dims(0)
        classes = mx.nd.argmax(network(batch)[0], axis=1)
        return np.asarray(classes[0].astype("uint8").asnumpy())

    return mask


def semseg(folder: Path, _height: int, _width: int) -> Engine:
    """What `serve` answers with."""
    return _predictor(folder, int8=False)


def semseg_int8(folder: Path, _height: int, _width: int) -> Engine:
    """What `serve` answers with where SEMSEG_PRECISION is int8."""
    return _predictor(folder, int8=True)


def _predictor(folder: Path, int8: bool) -> Engine:
    from semseg.inference.predictor import Predictor
    from semseg.networks.artifact import read_artifact
    from semseg.networks.thresholds import read_thresholds
    from semseg.serving.heap import give_back_unused

    artifact = read_artifact(folder / "model")
    thresholds = read_thresholds(artifact) if int8 else None
    predictor = Predictor(artifact, thresholds=thresholds, proven=True)
    predictor.warm_up()
    give_back_unused()
    return predictor.mask


def onnxruntime(folder: Path, height: int, width: int) -> Engine:
    """ONNX Runtime as it comes."""
    import onnxruntime as runtime

    session = runtime.InferenceSession(
        str(onnx_file(folder, height, width)), providers=["CPUExecutionProvider"]
    )
    return lambda image: np.asarray(session.run(["mask"], {"data": _batch(image)})[0][0])


def openvino(folder: Path, height: int, width: int) -> Engine:
    """OpenVINO as it comes: where the CPU can, it computes in bfloat16."""
    import openvino as ov

    model = ov.Core().compile_model(str(onnx_file(folder, height, width)), "CPU")
    return lambda image: np.asarray(model([_batch(image)])[0][0])


def onnx_file(folder: Path, height: int, width: int) -> Path:
    """Where the model for one size is, pixels in and mask out."""
    return folder / f"{height}x{width}" / "model.onnx"


def _batch(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.moveaxis(image, -1, 0)[None], np.float32)


ENGINES: dict[str, Load] = {
    "gluoncv": gluoncv,
    "semseg": semseg,
    "semseg, int8": semseg_int8,
    "onnxruntime": onnxruntime,
    "openvino": openvino,
}
