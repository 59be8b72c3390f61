"""A graph in float16, for GPUs: MXNet has no matrix product with it on CPUs.

Convolutions, which are nearly all the work, and what lies between them have 16 bits. What PSP and
DeepLabV3 see of the whole image stays in float32: averages over all of it, and places in a large
map, need more digits than float16 has.
"""

import json

import mxnet as mx
from mxnet.contrib import amp

from semseg.networks.graph import Graph

_COMPUTED = ["Convolution"]
# Take the type of what comes to them; averages are float32.
_BETWEEN = {"Activation", "Dropout", "Pooling", "elemwise_add"}
_AVERAGES = [("Pooling", "pool_type", ["avg"])]


def in_float16(graph: Graph) -> Graph:
    """The same network, from float32 to float32, with float16 within.

    MXNet's conversion knows no `arange_like`. DeepLabV3 has some that follow float16, inexact from
    2048 on, but they are multiplied by the last place of a map of 1x1, which is 0.

    Args:
        graph: the network in float32, its batch normalization folded.
    """
    lists = amp.list_lp16_ops, amp.list_fp32_ops, amp.list_lp16_fp32_ops
    known = {operator for names in lists for operator in names("float16")}
    used = {node["op"] for node in json.loads(graph.symbol.tojson())["nodes"]}
    symbol, values, _ = amp.convert_model(
        graph.symbol,
        dict(graph.parameters),
        {},
        target_dtype_ops=_COMPUTED,
        fp32_ops=sorted(used & known - {*_COMPUTED, *_BETWEEN}),
        conditional_fp32_ops=_AVERAGES,
        cast_optional_params=True,
    )
    return Graph(mx.sym.cast(symbol, dtype="float32"), values)
