"""A mask where an image should be.

Records carry no names: whether the first of two is the image, only its content can tell. A mask is
a picture too, so nothing would fail if masks were learned from; and where an image is missing,
every pair after it is made of a mask and the next image.
"""

from semseg.data.augmentation import IGNORE
from semseg.data.images import ImageError, NotAMask, as_mask, open_image
from semseg.data.label_maps import LabelMap
from semseg.data.pairs import Pair

# Greyscale pictures of no other values than these are taken for masks. Where more values than that
# mean something, too many photographs would be.
_FEW_VALUES = 64
_BLACK_AND_WHITE = {0, 255}
_PNG_START = b"\x89PNG\r\n\x1a\n"
_SINGLE_CHANNEL = (0, 3)  # PNG's colour types: greyscale, palette

MIXED_UP = (
    "is a mask where an image should be: image and mask take turns, the image first (in an"
    " augmented manifest, AttributeNames tells the order); if it is an image after all, save it as"
    " RGB."
)


def is_mixed_up(pair: Pair, num_classes: int) -> bool:
    """Whether the image of a pair is a mask.

    That is so if it could be one (a PNG with a single channel of 8 bits) and
    - the mask is a sound picture, but no mask;
    - or both are the same file;
    - or all its values stand for labels, some of them not for 0, and it is greyscale, or has a
      palette and the mask has the same.

    Raises OSError where the records cannot be read.
    """
    try:
        image = pair.image.read_bytes()
        if not _has_single_channel(image):
            return False
        first = open_image(image)
        values = as_mask(first).histogram()
        mask = pair.mask.read_bytes()
        second = open_image(mask)
    except ImageError:
        return False
    try:
        as_mask(second)
    except NotAMask:
        return True
    if image == mask:
        return True
    if first.mode == "P":
        alike = second.mode == "P" and first.getpalette() == second.getpalette()
        return alike and _stand_for_labels(values, pair.label_map, num_classes)
    return first.mode == "L" and _are_no_greys(values, pair.label_map, num_classes)


def _has_single_channel(data: bytes) -> bool:
    return data.startswith(_PNG_START) and len(data) > 25 and data[25] in _SINGLE_CHANNEL


def _stand_for_labels(values: list[int], label_map: LabelMap, num_classes: int) -> bool:
    labels = {label_map.labels[value] for value in range(256) if values[value]}
    classes = labels - {0, IGNORE}
    return bool(classes) and all(one is not None and one < num_classes for one in classes)


def _are_no_greys(values: list[int], label_map: LabelMap, num_classes: int) -> bool:
    meant = [one for one in label_map.labels if one is not None and one < num_classes]
    if len(meant) > _FEW_VALUES or _BLACK_AND_WHITE.issuperset(n for n in range(256) if values[n]):
        return False
    return _stand_for_labels(values, label_map, num_classes)
