"""What PSP and DeepLabV3 see of the whole image at once, and how to give it to them in parts."""

from abc import ABC, abstractmethod
from typing import Any


class ImageWide(ABC):
    """A block whose maps are averages of the whole image, each through a 1x1 convolution.

    Whoever runs a network on parts of an image has to make the maps of all parts together, and to
    hand each part its share.

    Attributes:
        grids: for each map, how many cells a side the averages have.
        given: the maps side by side, (N,c,h,w), to be used as they are; where it is None, they are
            made from the features.
    """

    grids: tuple[int, ...]
    given: Any = None

    @abstractmethod
    def branches(self) -> tuple[Any, ...]:
        """For each map the block from averages (N,2048,g,g) to the map's own cells (N,c,g,g)."""


def find_image_wide(network: Any) -> ImageWide | None:
    """The network's image-wide block; FCN has none."""
    found: list[ImageWide] = []
    network.apply(lambda block: found.append(block) if isinstance(block, ImageWide) else None)
    return found[0] if found else None
