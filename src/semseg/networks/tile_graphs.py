"""A network cut in two where it sees the whole image, so that it can be run on parts of one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import mxnet as mx

from semseg.networks.artifact import Artifact
from semseg.networks.base import BackbonePath, MainPath
from semseg.networks.folding import fold_batch_normalization
from semseg.networks.graph import DATA, Graph, graph_of
from semseg.networks.image_wide import image_wide_of
from semseg.networks.loading import load_network

# Algorithms whose heads use averages of the whole image.
_SEES_ALL = ("psp", "deeplab")

# The second input of `TileGraphs.logits`.
IMAGE_WIDE = "image_wide"


@dataclass(frozen=True)
class TileGraphs:
    """The parts of PSP or DeepLabV3, with batch normalization folded.

    Attributes:
        features: from a part of an image, normalized, to its features (N,2048,h,w).
        grids: for each image-wide map, how many cells a side the averages of features have.
        interpolation: `ImageWide.interpolation` of the maps.
        branches: for each map, from averages (1,2048,g,g) to the map (1,c,k,k).
        logits: from a part of an image, and the part's share of all maps (N,c,h,w) as `IMAGE_WIDE`,
            to the head's logits (N,C,h,w).
    """

    features: Graph
    grids: tuple[int, ...]
    interpolation: Callable[[Any, Any, Any], Any]
    branches: tuple[Graph, ...]
    logits: Graph

    def changed(self, change: Callable[[Graph], Graph]) -> "TileGraphs":
        """The same with each graph changed."""
        return replace(
            self,
            features=change(self.features),
            branches=tuple(map(change, self.branches)),
            logits=change(self.logits),
        )


def read_tile_graphs(artifact: Artifact) -> TileGraphs | None:
    """The parts of an artifact's network; None for FCN, which can be run on parts as it is.

    Raises:
        CustomerError: the parameters do not fit the network.
    """
    if artifact.architecture.algorithm not in _SEES_ALL:
        return None
    with mx.name.NameManager():
        network = load_network(artifact, mx.cpu())
        head = network.inference_head()
        image_wide = image_wide_of(head)
        data = mx.sym.var(DATA)
        features = BackbonePath(network)(data)
        branches = [branch(data) for branch in image_wide.branches()]
        image_wide.given = mx.sym.var(IMAGE_WIDE)
        path = MainPath(network, resized=False, head=head)
        logits = path(data)

    def graph(symbol: Any) -> Graph:
        return fold_batch_normalization(graph_of(symbol, path))

    whole = graph(logits)
    # Half of the values are the same, and need be there only once.
    shared = Graph(graph(features).symbol, whole.parameters)
    return TileGraphs(
        shared, image_wide.grids, image_wide.interpolation, tuple(map(graph, branches)), whole
    )
