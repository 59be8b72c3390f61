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
from semseg.sagemaker.hyperparameter_schema import MOST_CLASSES

_LABELS_SPELLED_OUT = 8
# `0_2019-06-03T12:34:56.789012.png`: where it belongs stands in the output manifest only.
_GROUND_TRUTH_NAME = re.compile(r"\d+_\d{4}-\d\d-\d\dT\d\d")


def hints(report: Report) -> list[str]:
    """A sentence or two for each common cause that what was found points to."""
    return [
        *_about_labels(report),
        *_about_palettes(report),
        *_about_colours(report),
        *_about_ground_truth(report),
    ]


def conversion(masks: str | None, nearest: bool = False) -> str:
    """How to turn the colours of masks into class numbers: of a channel's, or of records."""
    option = " --nearest" * nearest
    if masks is None:
        return f"write the records anew, with masks from semseg convert-masks{option}"
    return f"semseg convert-masks {masks} {masks}_classes --color-map FILE{option}"


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
        text = (
            f"The largest label is {largest}, and num_classes is at most {MOST_CLASSES}: "
            "are these masks?"
        )
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
    splits = [split for split in report.splits if split.palettes]
    if splits:
        yield (
            f"Masks of {_names(splits)} have palettes. If their colours tell the classes, and not"
            f" their indices: {conversion(splits[0].annotation)}"
        )
    if report.palette_difference and report.problems:
        yield report.palette_difference


def _about_colours(report: Report) -> Iterator[str]:
    """Masks in colour, whether of few colours or smoothed at the edges."""
    splits = [split for split in report.splits if split.colours]
    if not splits:
        return
    where = splits[0].annotation
    most = max(split.colours for split in splits)
    if most <= report.num_classes + 1:  # one may be the ground
        yield f"Masks of {_names(splits)} are in colour. For class numbers: {conversion(where)}"
    else:
        yield (
            f"Masks of {_names(splits)} are in colour, up to {most} colours, more than"
            f" num_classes={report.num_classes}: edges may be smoothed (anti-aliased)."
            f" For the class numbers of the nearest colours: {conversion(where, nearest=True)}"
        )


def _names(splits: Sequence[Split]) -> str:
    return ", ".join(split.name for split in splits)


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
