"""Runs a graph in int8, where that is worth while."""

import time
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import mxnet as mx

from semseg.cpu import CPUINFO, cpu_flags
from semseg.inference.forward import Forward
from semseg.networks.graph import Graph
from semseg.sagemaker.errors import CustomerError

# Multiplies and adds 8-bit numbers in one go; so Linux calls it. Without it oneDNN needs three
# instructions for that, and what is won depends on the CPU.
_INSTRUCTION = "avx512_vnni"

_SIZES_KEPT = 4
_MOST_PIXELS_PREPARED = 1 << 20  # of all of them
_TRIED_SIDE = 256
_TRIES = 3


class Compute(Protocol):
    """A network: normalized images, NDArray float32 (N,3,H,W), to the head's logits."""

    def __call__(self, batch: Any, /) -> Any: ...


def int8_forward(graph: Graph, most_pixels: int = _MOST_PIXELS_PREPARED) -> Forward:
    """Runs a graph of `quantized`.

    MXNet has its weights as float32, and turns them into int8 anew for a size that it is not
    prepared for, which takes half as long as an image of 480x480. What it made of them is a quarter
    as large, so that several sizes can be kept.

    Args:
        graph: in int8.
        most_pixels: of all sizes together that there is memory to prepare for.
    """
    most_pixels = min(most_pixels, _MOST_PIXELS_PREPARED)
    return Forward(graph, mx.cpu(), sizes_kept=_SIZES_KEPT, most_pixels=most_pixels)


def refuse_slower(int8: Compute, float32: Compute, cpuinfo: Path = CPUINFO) -> None:
    """Makes sure that int8 is the faster one; measures it only where the CPU leaves that open.

    Raises:
        CustomerError: it is not, with both times.
    """
    if _INSTRUCTION in cpu_flags(cpuinfo):
        return
    seconds = {name: _seconds(one) for name, one in (("int8", int8), ("float32", float32))}
    if seconds["int8"] >= seconds["float32"]:
        raise CustomerError(
            "int8 is slower than float32 on this CPU, which has no AVX512-VNNI: "
            f"{seconds['int8']:.2f} s against {seconds['float32']:.2f} s for an image of "
            f"{_TRIED_SIDE} x {_TRIED_SIDE}. Serve with SEMSEG_PRECISION=float32, or on a CPU that "
            "has it (Intel since Cascade Lake, AMD since Zen 4)."
        )


def _seconds(network: Compute) -> float:
    batch = mx.nd.zeros((1, 3, _TRIED_SIDE, _TRIED_SIDE))
    for _ in range(2):  # the first one compiles, and the second prepares for this size
        network(batch).wait_to_read()
    taken = []
    for _ in range(_TRIES):
        started = time.perf_counter()
        network(batch).wait_to_read()
        taken.append(time.perf_counter() - started)
    return median(taken)
