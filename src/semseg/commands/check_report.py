"""What `semseg check` prints: a table for people, or JSON for programs."""

import json
from collections.abc import Sequence
from statistics import median_low
from typing import Any

from semseg.commands.tables import percentage, table
from semseg.data.augmentation import IGNORE
from semseg.data.checks import warnings
from semseg.data.problems import Problem, message
from semseg.data.report import Report, Split

_OTHERS_SHOWN = 10


def as_json(report: Report, problems: Sequence[Problem], guesses: Sequence[str]) -> dict[str, Any]:
    """Everything that was found; `pixels` and `images_with_class` are by class, from 0."""
    return {
        "num_classes": report.num_classes,
        "sound": not problems,
        "parts": {split.name: _part_as_json(split, report.num_classes) for split in report.splits},
        "warnings": [*warnings(report)],
        "hints": [*guesses],
        "problems": [
            {"kind": problem.kind.name.lower(), "where": problem.where, "text": problem.text}
            for problem in problems
        ],
    }


def _part_as_json(split: Split, num_classes: int) -> dict[str, Any]:
    return {
        "images": split.images,
        "masks": split.masks,
        "pairs": len(split.pairs),
        "width": _spread([width for width, _ in split.sizes]),
        "height": _spread([height for _, height in split.sizes]),
        "label_map": split.label_map.given,
        "pixels": split.pixels[:num_classes],
        "images_with_class": split.images_with[:num_classes],
        "pixels_of_other_labels": {
            str(label): split.pixels[label] for label in _other_labels([split], num_classes)
        },
        "ignored_pixels": split.pixels[IGNORE],
        "ignored_share": split.pixels[IGNORE] / max(sum(split.pixels), 1),
    }


def _spread(lengths: Sequence[int]) -> dict[str, int] | None:
    """The least, the middle and the greatest; None of nothing."""
    if not lengths:
        return None
    return {"min": min(lengths), "median": median_low(lengths), "max": max(lengths)}


def as_text(report: Report, problems: Sequence[Problem], guesses: Sequence[str]) -> str:
    """Two tables, of the parts and of the classes; then all that is wrong, or odd at least."""
    paragraphs = [_parts(report), _classes(report)] if report.splits else []
    if problems:
        paragraphs.append(message(problems, guesses, others="; --json has them all"))
    else:
        paragraphs += [f"Warning: {warning}" for warning in warnings(report)]
        paragraphs.append("No problems.")
    return "\n\n".join(paragraphs)


def _parts(report: Report) -> str:
    """Files, sizes, and the pixels that are not ignored, a row for each part; and label maps."""
    spread = "min / median / max"
    heads = ("", "images", "masks", "pairs", f"width {spread}", f"height {spread}", "ignored")
    rows = [
        (
            split.name,
            f"{split.images:,}",
            f"{split.masks:,}",
            f"{len(split.pairs):,}",
            _lengths([width for width, _ in split.sizes]),
            _lengths([height for _, height in split.sizes]),
            percentage(split.pixels[IGNORE], sum(split.pixels)),
        )
        for split in report.splits
    ]
    maps = [
        f"label map of {split.name}: {json.dumps(dict(split.label_map.given))}"
        for split in report.splits
        if split.label_map.given
    ]
    return "\n".join([table(heads, rows, left=(0,)), *maps])


def _lengths(lengths: Sequence[int]) -> str:
    """`133 / 242 / 1024`; one number where all images have it."""
    spread = _spread(lengths)
    if spread is None:
        return "-"
    if spread["min"] == spread["max"]:
        return str(spread["min"])
    return f"{spread['min']} / {spread['median']} / {spread['max']}"


def _classes(report: Report) -> str:
    """Pixels of each class and images it is in, part by part; then labels that are no classes."""
    others = _other_labels(report.splits, report.num_classes)
    names = {label: str(label) for label in range(report.num_classes)}
    names |= {label: f"{label} *" for label in others[:_OTHERS_SHOWN]} | {IGNORE: "ignored"}
    heads = ["class", *(head for one in report.splits for head in (one.name, "share", "images"))]
    rows = [
        [name, *(cell for split in report.splits for cell in _cells(split, label))]
        for label, name in names.items()
    ]
    lines = [table(heads, rows)]
    if others:
        more = len(others) - _OTHERS_SHOWN
        lines.append(f"* not below num_classes{f', and {more} more' * (more > 0)}")
    return "\n".join(lines)


def _cells(split: Split, label: int) -> tuple[str, str, str]:
    pixels = split.pixels[label]
    if not pixels:
        return "-", "-", "-"
    return f"{pixels:,}", percentage(pixels, sum(split.pixels)), f"{split.images_with[label]:,}"


def _other_labels(splits: Sequence[Split], num_classes: int) -> list[int]:
    """The labels that are there but should not be."""
    return [
        label
        for label in range(num_classes, IGNORE)
        if any(split.pixels[label] for split in splits)
    ]
