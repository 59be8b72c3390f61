"""Open every file of a dataset and note everything that is wrong with it.

Training does this before it builds a network: a bad file found in the third hour costs three hours,
and one problem at a time costs a job each. All images and masks are decoded to their ends, by
several threads (Pillow lets go of Python's lock while it decodes).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from semseg.data.inspection import Finding, Inspector
from semseg.data.label_map_files import DEFAULT_MAPS, LabelMaps
from semseg.data.label_maps import DEFAULT, LabelMap
from semseg.data.pairs import Pairing, pair_up
from semseg.data.palettes import Comparison
from semseg.data.parallel import Run, threads
from semseg.data.problems import Kind
from semseg.data.record_files import pair_up_records
from semseg.data.report import Report, Split
from semseg.sagemaker.channels import Channel, Channels

Task = Callable[[], Finding]
Listed = Callable[["Part"], None]


@dataclass(frozen=True)
class Part:
    """A part of a dataset: its channels, and what the masks' values mean.

    There is no channel `masks` where `images` holds records, which are masks by turns.
    """

    images: Channel
    masks: Channel | None
    label_map: LabelMap = DEFAULT

    @property
    def name(self) -> str:
        """`train`, `validation` or `test`."""
        return self.images.name


def parts_of(channels: Channels, label_maps: LabelMaps = DEFAULT_MAPS) -> list[Part]:
    """The parts of a job's dataset."""
    pairs = (
        (channels.train, channels.train_annotation),
        (channels.validation, channels.validation_annotation),
        (channels.test, channels.test_annotation),
    )
    return [
        Part(images, masks, label_maps.of(images.name))
        for images, masks in pairs
        if images is not None
    ]


def scan(
    parts: Sequence[Part],
    num_classes: int,
    progress: bool = False,
    listed: Listed = lambda part: None,
) -> Report:
    """Read the whole dataset, streams excepted, which can be read once only.

    `progress` shows a bar, where standard error is a terminal. `listed` is called with each part
    once its files are listed, before any is opened.
    """
    found = []
    for part in parts:
        if not part.images.is_pipe:
            found.append((part, _pairs(part)))
        listed(part)
    comparison = Comparison()
    total = sum(_files(pairing) for _, pairing in found)
    with threads(total, "Checking the data", progress) as run:
        splits = [_split(part, pairing, num_classes, comparison, run) for part, pairing in found]
    return Report(num_classes, tuple(splits), comparison.difference)


def _pairs(part: Part) -> Pairing:
    if part.masks is None:
        return pair_up_records(part.images, part.label_map)
    return pair_up(part.images, part.masks, part.label_map)


def _files(found: Pairing) -> int:
    """How many tasks there are: a pair is one."""
    return len(found.pairs) + len(found.lone_images) + len(found.lone_masks)


def _split(part: Part, found: Pairing, num_classes: int, comparison: Comparison, run: Run) -> Split:
    inspect = Inspector(part.images, part.masks or part.images, num_classes, part.label_map)
    tasks: list[Task] = [partial(inspect.pair, pair) for pair in found.pairs]
    tasks += [partial(inspect.lone_image, path) for path in found.lone_images]
    tasks += [partial(inspect.lone_mask, path) for path in found.lone_masks]
    problems = list(found.problems)
    pixels, images_with = np.zeros(256, np.int64), np.zeros(256, np.int64)
    sizes = []
    colours, palettes = 0, False
    for finding in run(tasks):
        problems += finding.problems
        pixels += finding.pixels
        images_with += np.array(finding.pixels) > 0
        if finding.size is not None:
            sizes.append(finding.size)
        comparison.add(finding.mask, finding.palette)
        colours = max(colours, finding.colours)
        too_large = any(problem.kind is Kind.LABEL_TOO_LARGE for problem in finding.problems)
        palettes = palettes or (too_large and bool(finding.palette))
    return Split(
        name=part.name,
        pairs=found.pairs,
        images=len(found.pairs) + len(found.lone_images),
        masks=len(found.pairs) + len(found.lone_masks),
        sizes=tuple(sizes),
        pixels=tuple(pixels.tolist()),
        images_with=tuple(images_with.tolist()),
        problems=tuple(problems),
        annotation=part.masks.name if part.masks else None,
        label_map=part.label_map,
        colours=colours,
        palettes=palettes,
    )
