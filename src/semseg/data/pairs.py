"""Two folders to pairs of image and mask, by name.

The name of a pair is the path below the channel, without the suffix: `train/a/b.jpg` belongs to
`train_annotation/a/b.png`. A folder named like an annotation channel inside an image channel is
passed over: SageMaker copies all that an S3 prefix matches, and the prefix `.../train` matches
`.../train_annotation/` too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from semseg.data.folders import ByName, list_files
from semseg.data.label_maps import DEFAULT, LabelMap
from semseg.data.problems import Kind, Problem, in_channel
from semseg.data.sources import Source
from semseg.sagemaker.channel_settings import IMAGE_SUFFIXES
from semseg.sagemaker.channels import IMAGE_CHANNELS, Channel, annotation_of

_MASKS = frozenset({".png"})
_OTHER_PICTURES = frozenset({".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
_ANNOTATION_CHANNELS = frozenset({annotation_of(name) for name in IMAGE_CHANNELS})


@dataclass(frozen=True)
class Pair:
    """An image and its mask, and what the mask's pixel values mean."""

    name: str
    image: Source
    mask: Source
    label_map: LabelMap = field(default=DEFAULT, repr=False, hash=False)


@dataclass(frozen=True)
class Pairing:
    """What two channels hold: pairs, files left without a partner, and what is wrong so far."""

    pairs: tuple[Pair, ...]
    lone_images: tuple[Source, ...]
    lone_masks: tuple[Source, ...]
    problems: tuple[Problem, ...]


def pair_up(images: Channel, masks: Channel, label_map: LabelMap = DEFAULT) -> Pairing:
    """Find the pairs of two channels, in the order of their names. Opens no file."""
    listed_images = list_files(images, IMAGE_SUFFIXES, passed_over=_ANNOTATION_CHANNELS)
    listed_masks = list_files(masks, _MASKS | _OTHER_PICTURES)
    image_files, mask_files = listed_images.files, listed_masks.files
    png_files = {name: [p for p in paths if _is_png(p)] for name, paths in mask_files.items()}
    problems = [
        *listed_images.problems,
        *listed_masks.problems,
        *_used_twice(images, image_files),
        *_used_twice(masks, png_files),
        *_not_png(masks, mask_files),
        *_without_partner(images, image_files, masks, mask_files),
    ]
    pairs, lone_images, lone_masks = [], [], []
    for name in sorted(image_files.keys() | png_files.keys()):
        named_images, named_masks = image_files.get(name, []), png_files.get(name, [])
        partners = min(len(named_images), len(named_masks), 1)
        if partners:
            pairs.append(Pair(name, named_images[0], named_masks[0], label_map))
        lone_images += named_images[partners:]
        lone_masks += named_masks[partners:]
    return Pairing(tuple(pairs), tuple(lone_images), tuple(lone_masks), tuple(problems))


def _is_png(path: Path) -> bool:
    return path.suffix.lower() in _MASKS


def _used_twice(channel: Channel, files: ByName) -> Iterator[Problem]:
    for paths in files.values():
        for other in paths[1:]:
            first = in_channel(channel, paths[0])
            text = f"has the same name as {first}: rename or remove one of them."
            yield Problem(Kind.SAME_NAME, in_channel(channel, other), text)


def _not_png(channel: Channel, files: ByName) -> Iterator[Problem]:
    text = "a mask must be a PNG: other formats do not keep class numbers; save it as PNG."
    for path in (path for paths in files.values() for path in paths):
        if not _is_png(path):
            yield Problem(Kind.NOT_A_MASK, in_channel(channel, path), text)


def _without_partner(
    images: Channel, image_files: ByName, masks: Channel, mask_files: ByName
) -> Iterator[Problem]:
    """Who misses whom; of an empty channel only that it is empty, not what each file misses."""
    if not image_files:
        yield Problem(Kind.EMPTY_CHANNEL, images.name, "holds no .jpg, .jpeg or .png file.")
    if not mask_files:
        yield Problem(Kind.EMPTY_CHANNEL, masks.name, "holds no .png file.")
    if not image_files or not mask_files:
        return
    for name in image_files.keys() - mask_files.keys():
        where = in_channel(images, image_files[name][0])
        missing = in_channel(masks, masks.path / f"{name}.png")
        text = f"there is no {missing}: add the mask or remove the image."
        yield Problem(Kind.IMAGE_WITHOUT_MASK, where, text)
    for name in mask_files.keys() - image_files.keys():
        where = in_channel(masks, mask_files[name][0])
        missing = in_channel(images, images.path / name)
        text = f"there is no {missing}.jpg, .jpeg or .png: add the image or remove the mask."
        yield Problem(Kind.MASK_WITHOUT_IMAGE, where, text)
