"""A graph in float16, for GPUs: MXNet has no matrix product with it on CPUs.

Convolutions, which are nearly all the work, have 16 bits, and the residual sums between them.
Averages of the whole image stay in float32, as do the places in a map, by which what PSP and
DeepLabV3 see of the whole image is spread: they need more digits than float16 has.
"""

import mxnet as mx
from mxnet.contrib import amp

from semseg.networks.graph import Graph
from semseg.sagemaker.errors import CustomerError

_COMPUTED = ["Convolution"]
# Take the type of what comes to them. So do activations, which MXNet's conversion does not know;
# sums take the wider of two types.
_EITHER = {"Dropout", "Pooling"}
_AVERAGES = [("Pooling", "pool_type", ["avg"])]


def in_float16(graph: Graph) -> Graph:
    """The same network, from float32 to float32, with float16 within.

    MXNet's conversion does not know `arange_like` either. DeepLabV3 has some that follow float16,
    inexact beyond 2048, but they are multiplied by the last place of a map of 1x1, which is 0.

    Args:
        graph: the network in float32, its batch normalization folded.

    Raises:
        CustomerError: a weight is greater than anything in float16.
    """
    lists = amp.list_lp16_ops, amp.list_fp32_ops, amp.list_lp16_fp32_ops
    known = {operator for names in lists for operator in names("float16")}
    symbol, values, _ = amp.convert_model(
        graph.symbol,
        dict(graph.parameters),
        {},
        target_dtype_ops=_COMPUTED,
        fp32_ops=sorted(known - {*_COMPUTED, *_EITHER}),
        conditional_fp32_ops=_AVERAGES,
        cast_optional_params=True,
    )
    for name, value in values.items():
        if not mx.nd.contrib.isfinite(value).min().asscalar():
            raise CustomerError(
                f"{name} has values beyond 65504, the greatest in float16, or values that are no "
                "numbers. Serve with SEMSEG_PRECISION=float32."
            )
    return Graph(symbol, values)
