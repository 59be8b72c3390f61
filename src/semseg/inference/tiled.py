"""Runs a network on an image that is too large to be run at once."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from mxnet import nd

from semseg.data.normalization import normalize
from semseg.inference.forward import Forward
from semseg.inference.image_wide import ImageWideMaps
from semseg.inference.tiling import Window, blended, cells_of, windows
from semseg.networks.graph import DATA
from semseg.networks.tile_graphs import IMAGE_WIDE, TileGraphs

Image = npt.NDArray[np.uint8]
Logits = npt.NDArray[np.float32]


# Cells (`semseg.inference.tiling`) along a window's edge that feel what is missing beyond it. The
# backbone of ResNet-50 and two of the heads feel it some 28 cells deep, and hardly any of it after
# the first 12. The widest convolution of DeepLabV3's head looks 36 cells further.
_MARGIN_OF_FEATURES = 12
_MARGINS = {"fcn": 12, "psp": 12, "deeplab": 44}


def tiled_logits(
    image: Image,
    most_pixels: int,
    network: Callable[[Any], Any] | TileGraphs,
    algorithm: str,
    device: Any,
) -> Logits:
    """The head's logits of an image, from windows that overlap.

    Args:
        image: uint8 (H,W,3), RGB.
        most_pixels: what fits into memory at once.
        network: from a window, normalized (1,3,h,w), to its logits; or the parts of a network that
            sees the whole image.
        algorithm: SageMaker's name of it.
        device: MXNet context.

    Returns:
        float32 (C,ceil(H/8),ceil(W/8)).
    """
    height, width, _ = image.shape

    def parts(margin: int) -> Iterator[tuple[Window, Any]]:
        for rows, columns in windows(height, width, most_pixels, margin):
            pixels = image[rows.pixels(height), columns.pixels(width)]
            yield (rows, columns), nd.array(normalize(pixels)[None], ctx=device)

    size = cells_of(height), cells_of(width)
    margin = _MARGINS[algorithm]
    if isinstance(network, TileGraphs):
        maps = _image_wide_maps(network, parts(_MARGIN_OF_FEATURES), size, device)
        head = Forward(network.logits, device, (DATA, IMAGE_WIDE))
        logits = ((window, head(part, maps.share(window))) for window, part in parts(margin))
    else:
        logits = ((window, network(part)) for window, part in parts(margin))
    return blended(size, ((window, values[0].asnumpy()) for window, values in logits))


def _image_wide_maps(
    graphs: TileGraphs, parts: Iterator[tuple[Window, Any]], size: tuple[int, int], device: Any
) -> ImageWideMaps:
    """What the network sees of the whole image.

    Features of a whole image do not fit into memory, 3 GB for 6000x4000. So the backbone goes over
    all windows here, and a second time for the logits.
    """
    maps = ImageWideMaps(graphs, size, device)
    features = Forward(graphs.features, device)
    for window, part in parts:
        maps.add(window, features(part))
    maps.finish()
    return maps
