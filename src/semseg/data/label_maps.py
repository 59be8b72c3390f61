"""Label maps: what the pixel values of a mask mean, where they are not the labels themselves.

A job may bring them in the channel `label_map`, a file for each part of its data. As AWS's page on
the algorithm has it, `{"scale": 3}` makes label = floor(value / 3), and `{"map": {"0": 5, "1": 0}}`
names the label first and the pixel value second: 5 becomes 0, and 0 becomes 1. Without a file, a
pixel's value is its label. 255 is ignored whatever the scale, unless a map names it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from PIL import Image

from semseg.data.augmentation import IGNORE
from semseg.data.images import ImageError
from semseg.sagemaker.problems import did_you_mean, show

_VALUES = range(256)
_SCALES = range(1, IGNORE)
_KEYS = ("scale", "map")
_NAMED = 5
_TURNED_ROUND = " Is the map turned round? The label comes first, its pixel value second."


class InvalidLabelMap(ValueError):
    """The content of a file is no label map; `complaints` are clauses, one for each mistake."""

    def __init__(self, complaints: Sequence[str]) -> None:
        super().__init__(" ".join(complaints))
        self.complaints = tuple(complaints)


class UnmappedValue(ImageError):
    """A mask holds pixel values that its label map gives no label."""


@dataclass(frozen=True)
class LabelMap:
    """From pixel values to labels.

    `labels` has 256 entries, by pixel value: a label, 255 for "ignore", or None where the map does
    not say. `given` is the map as the customer wrote it, None where there is none.
    """

    given: Mapping[str, Any] | None
    labels: tuple[int | None, ...]

    def apply(self, mask: Image.Image) -> Image.Image:
        """A mask of labels for a mask of pixel values, both of mode "L" and the same size.

        Raises `UnmappedValue` where the map says nothing about a value that the mask holds.
        """
        if self.is_identity:
            return mask
        self.check(mask.histogram())
        return mask.point([label or 0 for label in self.labels])

    def check(self, pixels: Sequence[int]) -> None:
        """Raises `UnmappedValue`, naming values, for a mask with these pixel counts by value."""
        unmapped = [value for value in _VALUES if pixels[value] and self.labels[value] is None]
        if unmapped:
            named = ", ".join(
                f"{value} ({pixels[value]} pixel{'s' * (pixels[value] > 1)})"
                for value in unmapped[:_NAMED]
            )
            more = f" and {len(unmapped) - _NAMED} more" * (len(unmapped) > _NAMED)
            raise UnmappedValue(
                f"The label map gives no label to the pixel value{'s' * (len(unmapped) > 1)}"
                f" {named}{more}: add what is missing to the map, or correct the mask."
            )

    def count(self, pixels: Sequence[int]) -> list[int]:
        """Pixel counts by label for pixel counts by value, 256 each, without unmapped values."""
        counts = [0] * len(self.labels)
        for label, number in zip(self.labels, pixels, strict=True):
            if label is not None:
                counts[label] += number
        return counts

    @cached_property
    def is_identity(self) -> bool:
        """Whether pixel values are the labels."""
        return self.labels == tuple(_VALUES)


DEFAULT = LabelMap(None, tuple(_VALUES))


def parse_label_map(content: Mapping[str, Any], num_classes: int) -> LabelMap:
    """The label map that a JSON object describes; numbers may be strings, as AWS writes them.

    A list of pixel values gives all of them one label, and the label 255 ignores what it names.
    Raises `InvalidLabelMap` with everything that is wrong. Labels that a scale makes too large are
    no mistake of the map: only the masks show whether there are any.
    """
    complaints = [*_about_keys(content)]
    labels: list[int | None] = [*_VALUES]
    if "scale" in content:
        scale = _whole_number(content["scale"])
        if scale is None or scale not in _SCALES:
            complaints.append(_about_scale(content["scale"], scale))
        else:
            labels = [*(value // scale for value in _VALUES[:IGNORE]), IGNORE]
    if "map" in content:
        values = _Values(num_classes)
        complaints += values.read(content["map"])
        labels = [values.labels.get(value) for value in _VALUES]
        labels[IGNORE] = values.labels.get(IGNORE, IGNORE)
    if complaints:
        raise InvalidLabelMap(complaints)
    return LabelMap(dict(content), tuple(labels))


def _about_keys(content: Mapping[str, Any]) -> Iterator[str]:
    for key in content:
        if key not in _KEYS:
            yield f"there is no key {show(key)}, only scale and map{did_you_mean(key, _KEYS)}."
    if all(key in content for key in _KEYS):
        yield "scale and map cannot stand together: keep the one that is meant."
    if not any(key in content for key in _KEYS):
        yield (
            'it has neither scale nor map: write {"scale": 1}, or {"map": {"0": 0, "1": 128}}'
            " with the label first and its pixel value second."
        )


def _about_scale(found: object, scale: int | None) -> str:
    text = f"scale is {show(found)}, allowed: a whole number from 1 to {_SCALES[-1]}."
    if scale == IGNORE:
        text += ' 255 means "ignore": to make it a label, write {"map": {"0": 0, "1": 255}}.'
    return text


class _Values:
    """The labels of pixel values, filled from a map that names labels first."""

    def __init__(self, num_classes: int) -> None:
        self.labels: dict[int, int] = {}
        self._num_classes = num_classes
        self._keys: dict[int, str] = {}

    def read(self, found: object) -> Iterator[str]:
        """Take in a map and yield what is wrong with it."""
        if not isinstance(found, dict) or not found:
            yield f"map is {show(found)}, and must be an object of labels and their pixel values."
            return
        owners: dict[int, str] = {}
        hint = _TURNED_ROUND * self._looks_turned_round(found)
        for key, given in found.items():
            label = _whole_number(key)
            for complaint in self._about_label(key, label):
                yield complaint + hint
                hint = ""
            for entry in given if isinstance(given, list) else [given]:
                value = _whole_number(entry)
                if value is None or value not in _VALUES:
                    yield f"map: label {show(key)} has {show(entry)}; pixel values are 0..255."
                elif value in owners:
                    yield (
                        f"map: the pixel value {value} is given to label {show(owners[value])}"
                        f" and to label {show(key)}: it can have one."
                    )
                else:
                    owners[value] = key
                    self.labels[value] = IGNORE if label is None else label

    def _about_label(self, key: str, label: int | None) -> Iterator[str]:
        if label is None or not self._is_label(label):
            yield (
                f"map: {show(key)} is no label: with num_classes={self._num_classes}, labels are"
                f" 0..{self._num_classes - 1}, or 255 to ignore."
            )
        elif label in self._keys:
            yield f"map: {show(self._keys[label])} and {show(key)} are the same label."
        else:
            self._keys[label] = key

    def _is_label(self, number: int | None) -> bool:
        return number is not None and (0 <= number < self._num_classes or number == IGNORE)

    def _looks_turned_round(self, found: dict[str, Any]) -> bool:
        """Whether some keys are no labels, while all values could be, each of another one."""
        keys = [_whole_number(key) for key in found]
        values = [None if isinstance(one, list) else _whole_number(one) for one in found.values()]
        could_be = all(map(self._is_label, values)) and len(set(values)) == len(values)
        return could_be and not all(map(self._is_label, keys))


def _whole_number(found: object) -> int | None:
    """3 of 3, "3" or 3.0; None of anything else."""
    if isinstance(found, str):
        return int(found) if re.fullmatch(r"\s*-?\d{1,9}\s*", found, re.ASCII) else None
    if isinstance(found, float) and found.is_integer():
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else None
