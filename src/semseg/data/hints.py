"""Guesses at what many problems have in common, and what mends all of them at once.

They stand at the head of a refusal, before the files: SageMaker shows 1024 characters of it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from semseg.data.augmentation import IGNORE
from semseg.data.problems import Kind
from semseg.data.report import Report, Split
from semseg.sagemaker.channels import annotation_of

_LABELS_SPELLED_OUT = 8
# `0_2019-06-03T12:34:56.789012.png`: where it belongs stands in the output manifest only.
_GROUND_TRUTH_NAME = re.compile(r"\d+_\d{4}-\d\d-\d\dT\d\d")


def hints(report: Report) -> list[str]:
    """A sentence or two for each common cause that what was found points to."""
    return [
        *_about_labels(report),
        *_about_palettes(report),
        *(hint for split in report.splits for hint in _about_colours(split, report.num_classes)),
        *_about_ground_truth(report),
    ]


def conversion(masks: str, nearest: bool = False) -> str:
    """The command that turns the colours of the masks in a channel into class numbers."""
    return f"semseg convert-masks {masks} {masks}_classes --color-map FILE{' --nearest' * nearest}"


def _about_labels(report: Report) -> Iterator[str]:
    """What the labels of the whole dataset look like, where some of them are too large."""
    labels = [label for label, pixels in enumerate(report.pixels[:IGNORE]) if pixels]
    if not labels or labels[-1] < report.num_classes:
        return
    largest, needed = labels[-1], labels[-1] + 1
    mapped = any(split.label_map.given for split in report.splits)
    remedy = "" if mapped or len(labels) > report.num_classes else _label_map(labels)
    if labels[0] > 0 and largest == report.num_classes:
        text = f"Labels seem to be counted from 1 to {largest}: subtract 1 from each of them."
    elif {*labels} == {0, largest} and report.num_classes == 2:
        text = f"Labels are only 0 and {largest}: for two classes, turn {largest} into 1."
    elif needed >= IGNORE:
        text = f"The largest label is {largest}, and num_classes is at most 254: are these masks?"
    else:
        text = f"The largest label is {largest}: if that is right, num_classes must be {needed}."
    yield text + remedy


def _label_map(labels: Sequence[int]) -> str:
    """The label map that gives these pixel values the labels 0, 1, 2 ..."""
    if len(labels) > _LABELS_SPELLED_OUT:
        return " Or give a label map."
    mapping = {"map": {str(label): value for label, value in enumerate(labels)}}
    return f" Or give a label map (label, pixel value): {json.dumps(mapping)}"


def _about_palettes(report: Report) -> Iterator[str]:
    """Palettes whose indices are no class numbers: the colours may be."""
    for split in report.splits:
        if split.palettes:
            yield (
                f"The masks of {split.name} have palettes. If their colours tell the classes, and"
                f" not their indices: {conversion(annotation_of(split.name))}"
            )
    if report.palette_difference and report.problems:
        yield report.palette_difference


def _about_colours(split: Split, num_classes: int) -> Iterator[str]:
    """Masks in colour, whether of few colours or smoothed at the edges."""
    if not split.colours:
        return
    masks = annotation_of(split.name)
    if split.colours <= num_classes + 1:  # one may be the ground
        yield f"To turn colours into class numbers: {conversion(masks)}"
    else:
        yield (
            f"Masks have up to {split.colours} colours, more than num_classes={num_classes}: edges"
            " may be smoothed (anti-aliased). To turn the nearest colours into class numbers:"
            f" {conversion(masks, nearest=True)}"
        )


def _about_ground_truth(report: Report) -> Iterator[str]:
    """Masks under the names that a labelling job gives them."""
    names = (
        PurePosixPath(problem.where).name
        for problem in report.problems
        if problem.kind is Kind.MASK_WITHOUT_IMAGE
    )
    if any(map(_GROUND_TRUTH_NAME.match, names)):
        yield (
            "Masks have the names that Ground Truth gives them. Its output manifest says which"
            " image each belongs to: train on that manifest (Pipe mode), or copy each mask under"
            " the name of its image."
        )
