"""`semseg make-recordio`: folders of images and masks to the records that SageMaker streams."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from semseg.commands import Commands
from semseg.commands.tables import table
from semseg.commands.targets import check_outputs
from semseg.data.channel_folders import find_parts
from semseg.data.hints import hints
from semseg.data.problems import Kind, Problem, UnsoundData
from semseg.data.record_writing import write_records
from semseg.data.report import Split
from semseg.data.scan import Part, scan
from semseg.sagemaker.channel_settings import RECORD_SUFFIX
from semseg.sagemaker.channels import IMAGE_CHANNELS, annotation_of
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameter_schema import MOST_CLASSES

_DESCRIPTION = """\
Writes train.rec, validation.rec and test.rec: RecordIO files in which image and
mask take turns, in the order of their names and byte for byte what the files are.
DIR is a folder with a folder for each channel; what it has of these is written:

  train  train_annotation  validation  validation_annotation
  test  test_annotation

The files are checked first as train does it (but for the number of classes), and
nothing is written unless all are sound. train reads such a file in a channel of
its own, without annotations, or through a pipe.
"""


def add_to(commands: Commands) -> None:
    """Adds the command to the parsers of `semseg`."""
    parser = commands.add_parser(
        "make-recordio",
        help="write images and masks as a RecordIO stream",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of channels")
    parser.add_argument(
        "--part",
        action="append",
        default=[],
        choices=IMAGE_CHANNELS,
        dest="parts",
        help="write this part only; may be given more than once",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="where to put the files (default: DIR)"
    )
    parser.add_argument("--replace", action="store_true", help="replace files that are there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Writes a file for each part and prints what is in them.

    Raises:
        CustomerError: there is nothing to write, nowhere to write it, something is not sound, or a
            file is there already; nothing is written then.
    """
    folder: Path = options.folder
    if not folder.is_dir():
        raise CustomerError(f"There is no folder {folder}.")
    parts, problems = _parts(folder, options.parts)
    target: Path = options.output or folder
    files = {part.name: target / f"{part.name}{RECORD_SUFFIX}" for part in parts}
    check_outputs([*files.values()], options.replace)
    splits = _sound(parts, problems)
    if not splits:
        raise CustomerError(f"There is no train, validation or test in {folder}.")
    for split in splits:
        write_records(files[split.name], split.pairs)
    print(_summary(splits, files))


def _parts(folder: Path, names: Sequence[str]) -> tuple[list[Part], list[Problem]]:
    """The parts of those names, or without names all that there are; what their channels lack."""
    parts, problems = find_parts(folder, MOST_CLASSES, required=names)
    if names:
        parts = [part for part in parts if part.name in names]
        channels = {channel for name in names for channel in (name, annotation_of(name))}
        problems = [
            problem
            for problem in problems
            if problem.where in channels or problem.kind is Kind.LABEL_MAP
        ]
    records = [part.name for part in parts if part.masks is None]
    if records:
        raise CustomerError(f"{' and '.join(records)} in {folder}: these are records already.")
    return parts, problems


def _sound(parts: Sequence[Part], problems: Sequence[Problem]) -> Sequence[Split]:
    """The parts, read to their ends; `problems` are those that are known already."""
    # No job can have more classes, so labels are as large as they may be.
    report = scan(parts, MOST_CLASSES, progress=sys.stderr.isatty())
    problems = [*problems, *report.problems]
    if problems:
        raise UnsoundData(problems, hints(report))
    return report.splits


def _summary(splits: Sequence[Split], files: Mapping[str, Path]) -> str:
    rows = [
        (
            split.name,
            f"{len(split.pairs):,}",
            f"{2 * len(split.pairs):,}",
            f"{files[split.name].stat().st_size:,}",
            str(files[split.name]),
        )
        for split in splits
    ]
    return table(("part", "pairs", "records", "bytes", "file"), rows, left=(0, 4))
