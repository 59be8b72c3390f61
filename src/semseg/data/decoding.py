"""A pair to pixels, whether it comes from files, from RecordIO files or from a stream."""

from PIL import Image

from semseg.data.images import ImageError, read_image, read_mask
from semseg.data.pairs import Pair
from semseg.data.sources import Source


class UnusableSource(ImageError):
    """An image or mask that cannot be used, and where its bytes lie."""

    def __init__(self, source: Source, text: str) -> None:
        super().__init__(text)
        self.source = source


def decode_pair(pair: Pair) -> tuple[Image.Image, Image.Image]:
    """An RGB picture and its mask of mode "L" and the same size, each pixel being the label.

    Raises `UnusableSource` for either of the two, and OSError.
    """
    source = pair.image
    try:
        image = read_image(source)
        source = pair.mask
        mask = pair.label_map.apply(read_mask(source))
        if mask.size != image.size:
            raise ImageError(sizes_differ(mask.size, image.size))
    except ImageError as error:
        raise UnusableSource(source, str(error)) from error
    return image, mask


def sizes_differ(mask: tuple[int, int], image: tuple[int, int]) -> str:
    """The sentence about a mask that has not its image's width and height."""
    return (
        f"the mask has {mask[0]} x {mask[1]} pixels, its image {image[0]} x {image[1]}:"
        " make them the same size."
    )
