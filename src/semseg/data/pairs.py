"""Two folders to pairs of image and mask, by name.

The name of a pair is the path below the channel, without the suffix: `train/a/b.jpg` belongs to
`train_annotation/a/b.png`. What is no image is passed over with the original's warning. That
includes a folder named like an annotation channel inside an image channel: SageMaker copies all
that an S3 prefix matches, and the prefix `.../train` matches `.../train_annotation/` too.
"""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from semseg.data.problems import Kind, Problem, in_channel, printable
from semseg.sagemaker.channel_settings import IMAGE_SUFFIXES
from semseg.sagemaker.channels import Channel

_LOG = logging.getLogger(__name__)

_MASKS = frozenset({".png"})
_OTHER_PICTURES = frozenset({".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
_ANNOTATION_CHANNELS = frozenset({"train_annotation", "validation_annotation"})

ByName = dict[str, list[Path]]


@dataclass(frozen=True)
class Pair:
    """An image and its mask."""

    name: str
    image: Path
    mask: Path


@dataclass(frozen=True)
class Pairing:
    """What two channels hold: pairs, files left without a partner, and what is wrong so far."""

    pairs: tuple[Pair, ...]
    lone_images: tuple[Path, ...]
    lone_masks: tuple[Path, ...]
    problems: tuple[Problem, ...]


def pair_up(images: Channel, masks: Channel) -> Pairing:
    """Find the pairs of two channels, in the order of their names. Opens no file."""
    image_files = _by_name(images, IMAGE_SUFFIXES, passed_over=_ANNOTATION_CHANNELS)
    mask_files = _by_name(masks, _MASKS | _OTHER_PICTURES)
    png_files = {name: [p for p in paths if _is_png(p)] for name, paths in mask_files.items()}
    problems = [
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
            pairs.append(Pair(name, named_images[0], named_masks[0]))
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


def _by_name(
    channel: Channel, suffixes: frozenset[str], passed_over: frozenset[str] = frozenset()
) -> ByName:
    """The files of a channel that have one of the suffixes; a warning for each other entry."""

    def wanted(entry: os.DirEntry[str]) -> bool:
        if entry.name.startswith(".") or entry.name in passed_over:
            return False
        is_file = entry.is_file() or entry.is_symlink()  # reading finds out a broken link
        return entry.is_dir() or (is_file and Path(entry.name).suffix.lower() in suffixes)

    files: ByName = {}
    for path in _walk(channel.path, wanted, inside=()):
        name = path.relative_to(channel.path).with_suffix("").as_posix()
        files.setdefault(name, []).append(path)
    return files


def _walk(
    folder: Path, wanted: Callable[[os.DirEntry[str]], bool], inside: tuple[Path, ...]
) -> Iterator[Path]:
    """The wanted files below a folder, sorted; follows links, but not round in circles."""
    inside = (*inside, folder.resolve())
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if not wanted(entry):
            _LOG.warning("%s is not a readable image file", printable(path))
        elif not entry.is_dir():
            yield path
        elif path.resolve() not in inside:
            yield from _walk(path, wanted, inside)
