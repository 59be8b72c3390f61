"""MXNet's own files of a network: what `Module`, `SymbolBlock` and compilers load."""

from pathlib import Path

from mxnet import nd

from semseg.inference.exporting.graph import with_fixed_size
from semseg.networks.graph import Graph
from semseg.sagemaker.files import replacement


def write_symbol(
    symbol_file: Path, parameter_file: Path, graph: Graph, size: tuple[int, int] | None
) -> str:
    """Writes a graph as MXNet's checkpoints are written; says what was written.

    Args:
        symbol_file: ends with `-symbol.json`.
        parameter_file: ends with the number of an epoch and `.params`.
        graph: the network.
        size: height and width of the images, for compilers that must know; None for any.
    """
    symbol = with_fixed_size(graph.symbol, *size) if size else graph.symbol
    states = set(symbol.list_auxiliary_states())
    arrays = {
        f"aux:{name}" if name in states else f"arg:{name}": value
        for name, value in graph.parameters.items()
    }
    # Both are on the disk before either has its name, or one might lie beside an older other.
    with (
        replacement(parameter_file, lambda temporary: nd.save(str(temporary), arrays)),
        replacement(symbol_file, lambda temporary: symbol.save(str(temporary))),
    ):
        pass
    images = f"of {size[0]}x{size[1]}" if size else "of any size"
    return f"{symbol_file}\n{parameter_file}\n{symbol.name} of images {images}"
