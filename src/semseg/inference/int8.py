"""Runs a graph in int8, where that is worth while."""

from pathlib import Path

import mxnet as mx

from semseg.cpu import CPUINFO, cpu_flags
from semseg.inference.comparing import Compute, times_if_slower
from semseg.inference.forward import Forward
from semseg.networks.graph import Graph
from semseg.sagemaker.errors import CustomerError

# Multiplies and adds 8-bit numbers in one go; so Linux calls it. Without it oneDNN needs three
# instructions for that, and what is won depends on the CPU.
_INSTRUCTION = "avx512_vnni"

_SIZES_KEPT = 4
_MOST_PIXELS_PREPARED = 1 << 20  # of all of them


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


def refuse_slower_int8(int8: Compute, float32: Compute, cpuinfo: Path = CPUINFO) -> None:
    """Makes sure that int8 is not the slower one; measures it only where the CPU leaves that open.

    Raises:
        CustomerError: it is, with both times.
    """
    if _INSTRUCTION in cpu_flags(cpuinfo):
        return
    if times := times_if_slower(int8, float32, mx.cpu()):
        raise CustomerError(
            f"int8 is slower than float32 on this CPU, which has no AVX512-VNNI: {times}. Serve "
            "with SEMSEG_PRECISION=float32, or on a CPU that has it (Intel since Cascade Lake, AMD "
            "since Zen 4); SEMSEG_PRECISION_CHECK=off serves in int8 all the same."
        )
