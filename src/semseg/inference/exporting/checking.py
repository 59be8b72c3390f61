"""Whether an ONNX file says what MXNet says, where ONNX Runtime is there to ask."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import SymbolBlock
from numpy.typing import NDArray

from semseg.networks.graph import DATA, Graph
from semseg.sagemaker.errors import AlgorithmError

# Sums in another order: 1e-4 is usual for random weights, whose logits are large.
LARGEST_DIFFERENCE = 1e-3
SMALLEST_AGREEMENT = 0.999


@dataclass(frozen=True)
class Comparison:
    """What two programs made of one image.

    Attributes:
        agreement: the share of pixels that have the same class.
        difference: the largest one between two probabilities; 0 where there are only masks.
    """

    agreement: float
    difference: float

    def __str__(self) -> str:
        apart = f", probabilities at most {self.difference:.1g} apart" if self.difference else ""
        return f"the same class as MXNet in {self.agreement:.3%} of the pixels{apart}"

    @property
    def sound(self) -> bool:
        """Whether they say the same but for rounding."""
        return self.agreement >= SMALLEST_AGREEMENT and self.difference <= LARGEST_DIFFERENCE


def can_check() -> bool:
    """Whether ONNX Runtime is installed."""
    return find_spec("onnxruntime") is not None


def check_onnx(file: Path, graph: Graph, height: int, width: int) -> Comparison:
    """Runs an ONNX file and the graph it was made of on an image of noise.

    Raises:
        AlgorithmError: they differ by more than rounding.
    """
    import onnxruntime

    noise = np.random.default_rng(1).integers(0, 256, (1, 3, height, width)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    found = compare(session.run(None, {DATA: noise})[0][0], answer(graph, noise)[0])
    if not found.sound:
        raise AlgorithmError(
            f"The ONNX file is not the model it was made of and was not kept: {found}."
        )
    return found


def answer(graph: Graph, pixels: NDArray[np.float32]) -> NDArray[Any]:
    """What MXNet says of images (N,3,H,W), by the graph as it stands."""
    block = SymbolBlock(graph.symbol, mx.sym.var(DATA))
    for name, parameter in block.collect_params().items():
        parameter.shape = graph.parameters[name].shape
        parameter.initialize(ctx=mx.cpu())
        parameter.set_data(graph.parameters[name])
    return np.asarray(block(mx.nd.array(pixels)).asnumpy())


def compare(one: NDArray[Any], other: NDArray[Any]) -> Comparison:
    """Compares two masks (H,W) or two arrays of probabilities (C,H,W)."""
    if one.ndim == 2:
        return Comparison(float((one == other).mean()), 0)
    agreement = (one.argmax(axis=0) == other.argmax(axis=0)).mean()
    return Comparison(float(agreement), float(np.abs(one - other).max()))
