"""Hyperparameters of a job, refused here by the rules that the container would refuse them by."""

import argparse
from pathlib import Path

from scripts.aws.options import pair
from scripts.aws.problems import Refused
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameters import Configuration, defaults
from semseg.sagemaker.json_files import read_json_object


def add_hyperparameters(parser: argparse.ArgumentParser) -> None:
    """What to train and how."""
    group = parser.add_argument_group("hyperparameters")
    group.add_argument("--hyperparameters", type=Path, metavar="FILE", help="a JSON object")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        type=pair,
        metavar="NAME=VALUE",
        help="one hyperparameter, which goes before that of the file",
    )


def read(options: argparse.Namespace) -> dict[str, str]:
    """The file's values and those of --set, as strings. Raises Refused; checks no value."""
    try:
        values = read_json_object(options.hyperparameters) if options.hyperparameters else {}
    except CustomerError as error:
        raise Refused(str(error)) from None
    texts = {
        name: value if isinstance(value, str) else str(value) for name, value in values.items()
    }
    return texts | dict(options.set)


def complaints(values: dict[str, str]) -> list[str]:
    """What the container would say against these hyperparameters."""
    try:
        Configuration.merge(defaults(), values)
    except CustomerError as error:
        # The first line is a summary and names a file that does not exist here.
        return str(error).splitlines()[1:]
    return []
