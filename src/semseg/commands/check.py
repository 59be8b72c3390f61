"""`semseg check`: what `train` checks before the first epoch, without a job, and with numbers."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from semseg.commands import Commands
from semseg.commands.check_report import as_json, as_text
from semseg.data.channel_folders import find_parts
from semseg.data.hints import hints
from semseg.data.scan import scan
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameter_schema import MOST_CLASSES

_DESCRIPTION = """\
Reads a whole dataset as train does before the first epoch: every image and mask,
by the label map if there is one. DIR is what a job has as /opt/ml/input/data, a
folder for each channel:

  train  train_annotation  validation  validation_annotation
  test  test_annotation  label_map      (these three if they are there)

Prints how many images there are, of which sizes, and the pixels of each class,
then everything that is wrong. The exit code is 0 for a sound dataset, else 2.
"""


def add_to(commands: Commands) -> None:
    """Adds the command to the parsers of `semseg`."""
    parser = commands.add_parser(
        "check",
        help="read a dataset and say what is in it, and what is wrong",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of channels")
    parser.add_argument(
        "--num-classes",
        type=_num_classes,
        required=True,
        metavar="N",
        help="how many classes the masks tell apart, background included",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Prints the report and leaves with 2 where there are problems.

    Raises:
        CustomerError: there is no such folder.
    """
    folder: Path = options.folder
    if not folder.is_dir():
        raise CustomerError(f"There is no folder {folder}.")
    parts, of_channels = find_parts(folder, options.num_classes)
    report = scan(parts, options.num_classes, progress=sys.stderr.isatty())
    problems = [*of_channels, *report.problems]
    guesses = [*_guesses(folder), *hints(report)] if problems else []
    if options.json:
        print(json.dumps(as_json(report, problems, guesses), indent=2))
    else:
        print(as_text(report, problems, guesses))
    if problems:
        sys.exit(CustomerError.exit_code)


def _guesses(folder: Path) -> Iterator[str]:
    """Where the channels may be, if they are not where they should."""
    inside = folder / "input" / "data"
    if inside.is_dir():
        yield f"The channels seem to be in {inside}: check that folder."


def _num_classes(text: str) -> int:
    if not text.isdecimal() or not 2 <= int(text) <= MOST_CLASSES:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 2 to {MOST_CLASSES}")
    return int(text)
