"""One image and its mask, opened and judged."""

from dataclasses import dataclass
from pathlib import Path

from semseg.data.augmentation import IGNORE
from semseg.data.images import ImageError, NotAMask, as_mask, open_image, read_image
from semseg.data.pairs import Pair
from semseg.data.problems import Kind, Problem, in_channel
from semseg.sagemaker.channels import Channel

_LABELS_NAMED = 5


class Finding:
    """What is wrong with one or two files, and how many pixels of the mask have which value."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.pixels = [0] * 256


@dataclass(frozen=True)
class Inspector:
    """Judges the files of an image channel and its annotation channel; threads may share it."""

    images: Channel
    masks: Channel
    num_classes: int

    def pair(self, pair: Pair) -> Finding:
        """Decode both files to their ends; the mask must have the image's size."""
        finding = Finding()
        size = self._read_image(pair.image, finding)
        self._read_mask(pair.mask, size, finding)
        return finding

    def lone_image(self, path: Path) -> Finding:
        """Decode an image that has no mask: it may be damaged all the same."""
        finding = Finding()
        self._read_image(path, finding)
        return finding

    def lone_mask(self, path: Path) -> Finding:
        """Decode a mask that has no image, and look at its labels."""
        finding = Finding()
        self._read_mask(path, None, finding)
        return finding

    def _read_image(self, path: Path, finding: Finding) -> tuple[int, int] | None:
        try:
            return read_image(path).size
        except ImageError as error:
            text = f"{error} Replace the file, or remove it and its mask."
            finding.problems.append(Problem(Kind.UNREADABLE, in_channel(self.images, path), text))
            return None

    def _read_mask(self, path: Path, size: tuple[int, int] | None, finding: Finding) -> None:
        def note(kind: Kind, text: str) -> None:
            finding.problems.append(Problem(kind, in_channel(self.masks, path), text))

        try:
            picture = open_image(path)
            if size is not None and picture.size != size:
                note(Kind.OTHER_SIZE, _sizes(picture.size, size))
            finding.pixels = as_mask(picture).histogram()
            if any(finding.pixels[self.num_classes : IGNORE]):
                note(Kind.LABEL_TOO_LARGE, _labels(finding.pixels, self.num_classes))
        except NotAMask as error:
            note(Kind.NOT_A_MASK, str(error))
        except ImageError as error:
            note(Kind.UNREADABLE, f"{error} Replace the file, or remove it and its image.")


def _sizes(mask: tuple[int, int], image: tuple[int, int]) -> str:
    return (
        f"the mask has {mask[0]} x {mask[1]} pixels, its image {image[0]} x {image[1]}:"
        " make them the same size."
    )


def _labels(pixels: list[int], num_classes: int) -> str:
    """`labels 12 (340 pixels), 13 (1 pixel) are too large: with num_classes=11 ...`."""
    too_large = [label for label in range(num_classes, IGNORE) if pixels[label]]
    named = ", ".join(
        f"{label} ({pixels[label]} pixel{'s' * (pixels[label] > 1)})"
        for label in too_large[:_LABELS_NAMED]
    )
    more = len(too_large) - _LABELS_NAMED
    return (
        f"label{'s' * (len(too_large) > 1)} {named}{f' and {more} more' * (more > 0)}:"
        f" with num_classes={num_classes}, labels are 0..{num_classes - 1}, or 255 to ignore."
    )
