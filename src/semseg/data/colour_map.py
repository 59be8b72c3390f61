"""From the colours of a mask to class numbers, the ground included.

A map that has a ground of its own, a class that is called background, transparent or black, numbers
its classes itself: by Ground Truth's keys, or by the rows of a file. Without one, whatever is
transparent or black is class 0, and the map's classes follow: the first is 1.

Colours are written as `colours` has them, 0xrrggbbaa.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from semseg.data.colours import TRANSPARENT, Codes, channels_of, code_of

BLACK = code_of(0, 0, 0)
_OPAQUE_ENOUGH = 128

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Entry:
    """A class as a file has it; its number is None where the file numbers none."""

    number: int | None
    name: str
    colour: int


@dataclass(frozen=True)
class ColourClass:
    """A class, and the colour that masks show it in."""

    number: int
    name: str
    colour: int


@dataclass(frozen=True)
class ColourMap:
    """The classes in the order of their numbers, and the number of the ground's."""

    classes: tuple[ColourClass, ...]
    ground: int

    @property
    def num_classes(self) -> int:
        """The least `num_classes` that a job on these classes can have."""
        return self.classes[-1].number + 1

    @cached_property
    def numbers(self) -> dict[int, int]:
        """Class numbers by colour. Transparent and black are the ground unless a class has them."""
        named = {one.colour: one.number for one in self.classes}
        return {TRANSPARENT: self.ground, BLACK: self.ground} | named

    @property
    def palette(self) -> list[int]:
        """Red, green and blue of the class numbers, 256 times 3, for a mask to be looked at."""
        colours = np.zeros((256, 3), np.uint8)
        for one in self.classes:
            colours[one.number] = channels_of(np.array([one.colour], np.uint32))[0, :3]
        return [int(value) for value in colours.flat]

    def look_up(self, codes: Codes) -> tuple[Labels, npt.NDArray[np.bool_]]:
        """The class of each colour, uint8 (...), and which are none of the map's, bool (...)."""
        known = np.array(sorted(self.numbers), np.uint32)
        labels = np.array([self.numbers[code] for code in known.tolist()], np.uint8)
        places = np.searchsorted(known, codes).clip(max=len(known) - 1)
        return labels[places], known[places] != codes

    def nearest(self, codes: Codes) -> Labels:
        """The class of the colour nearest to each of N, uint8 (N), by red, green and blue.

        What is more than half transparent is ground. Of two that are as near, the lower number's.
        """
        channels = channels_of(codes).astype(np.int32)
        best = np.full(len(codes), np.iinfo(np.int32).max, np.int32)
        labels = np.full(len(codes), self.ground, np.uint8)
        for code, number in sorted(self.numbers.items(), key=lambda item: item[1]):
            if code == TRANSPARENT:
                continue
            colour = channels_of(np.array([code], np.uint32))[0].astype(np.int32)
            distance = ((channels[:, :3] - colour[:3]) ** 2).sum(axis=1, dtype=np.int32)
            closer = distance < best
            best[closer], labels[closer] = distance[closer], number
        labels[channels[:, 3] < _OPAQUE_ENOUGH] = self.ground
        return labels


def number_classes(entries: Sequence[Entry]) -> ColourMap:
    """The map of some classes, at least one, whose colours and numbers differ."""
    classes = [
        ColourClass(place if entry.number is None else entry.number, entry.name, entry.colour)
        for place, entry in enumerate(entries)
    ]
    ground = _ground_of(classes)
    if ground is None:
        taken = any(one.number == 0 for one in classes)
        classes = [replace(one, number=one.number + taken) for one in classes]
        ground = ColourClass(0, "(ground)", TRANSPARENT)
        classes.append(ground)
    in_order = sorted(classes, key=lambda one: one.number)
    return ColourMap(tuple(in_order), ground.number)


def _ground_of(classes: Sequence[ColourClass]) -> ColourClass | None:
    """The class of what is no object: by its name, else by its colour."""
    by_name = [one for one in classes if one.name.strip(" _-").lower() == "background"]
    by_colour = [one for code in (TRANSPARENT, BLACK) for one in classes if one.colour == code]
    return next(iter([*by_name, *by_colour]), None)
