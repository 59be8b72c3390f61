"""float16 for CPUs, which have no matrix products with it: values are rounded, products are not."""

import json
from typing import Any

import numpy as np

from semseg.networks.graph import Graph, symbol_of_json


def types(graph: Graph) -> list[tuple[dict[str, Any], str]]:
    """A graph's nodes, as MXNet writes them, and the type of what each gives.

    Its inputs are float32.
    """
    inside = graph.symbol.get_internals()
    known = dict.fromkeys(graph.symbol.list_inputs(), np.float32)
    known |= {name: value.dtype for name, value in graph.parameters.items() if name in known}
    _, outputs, _ = inside.infer_type(**known)
    found = dict(zip(inside.list_outputs(), (np.dtype(one).name for one in outputs), strict=True))
    nodes = json.loads(graph.symbol.tojson(remove_amp_cast=False))["nodes"]
    return [(node, _type(node["name"], found)) for node in nodes]


def rounded(graph: Graph) -> Graph:
    """A graph of `in_float16` in float32, with what would be float16 rounded to it."""
    content = json.loads(graph.symbol.tojson(remove_amp_cast=False))
    nodes: list[dict[str, Any]] = []
    places: list[int] = []

    def moved(entries: list[list[int]]) -> list[list[int]]:
        return [[places[source], *rest] for source, *rest in entries]

    for node, kind in types(graph):
        attributes = {
            name: value for name, value in node.get("attrs", {}).items() if name[:2] != "__"
        }
        nodes.append({**node, "attrs": attributes, "inputs": moved(node["inputs"])})
        if node["op"] == "amp_cast":
            nodes[-1] |= {"op": "_copy", "attrs": {}}
        if kind == "float16" and node["op"] != "null":
            for dtype in ("float16", "float32"):
                name = f"{node['name']}_{dtype}"
                source = [len(nodes) - 1, 0, 0]
                nodes.append(
                    {"op": "Cast", "name": name, "attrs": {"dtype": dtype}, "inputs": [source]}
                )
        places.append(len(nodes) - 1)
    values = {name: value.astype("float32") for name, value in graph.parameters.items()}
    return Graph(symbol_of_json(content, nodes, moved(content["heads"])), values)


def _type(name: str, found: dict[str, str]) -> str:
    """The type of a node's first output."""
    names = (name, f"{name}_output", f"{name}_output0")
    return next(found[name] for name in names if name in found)
