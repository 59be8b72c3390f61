"""Ranges of hyperparameters for a tuning job.

The default ones are those of AWS's page on tuning this algorithm:
https://docs.aws.amazon.com/sagemaker/latest/dg/semantic-segmentation-tuning.html
"""

import argparse
from dataclasses import dataclass
from typing import Any

from scripts.aws import hyperparameters
from scripts.aws.options import pair
from semseg.sagemaker.hyperparameter_rules import Flag, Integer, Number, OneOf
from semseg.sagemaker.hyperparameter_schema import fields_by_name, rule_of
from semseg.sagemaker.problems import did_you_mean

DEFAULT_RANGES = {
    "learning_rate": "0.0001:0.1",
    "mini_batch_size": "1:128",
    "momentum": "0.9:0.999",
    "optimizer": "sgd,adam,adadelta",
    "weight_decay": "0.00001:0.001",
}


def add_ranges(parser: argparse.ArgumentParser) -> None:
    """What to vary."""
    defaults = " ".join(f"{name}={text}" for name, text in DEFAULT_RANGES.items())
    parser.add_argument(
        "--range",
        action="append",
        default=[],
        type=pair,
        metavar="NAME=RANGE",
        help=f"LOW:HIGH or A,B,C; without any: {defaults}",
    )


@dataclass(frozen=True)
class Range:
    """What a hyperparameter may be: two ends, or each of several words."""

    name: str
    values: tuple[str, ...]
    kind: str

    def request(self) -> dict[str, Any]:
        """The range as SageMaker wants it."""
        if self.kind == "Categorical":
            return {"Name": self.name, "Values": list(self.values)}
        low, high = self.values
        return {"Name": self.name, "MinValue": low, "MaxValue": high}


def read(options: argparse.Namespace) -> tuple[list[Range], list[str]]:
    """The ranges of the command line, else the default ones, and what is wrong with them."""
    ranges, sentences = [], []
    for name, text in dict(options.range or DEFAULT_RANGES.items()).items():
        try:
            ranges.append(_range(name, text))
        except ValueError as error:
            sentences.append(f"--range {name}: {error}")
    return ranges, sentences


def complaints(ranges: list[Range], fixed: dict[str, str]) -> list[str]:
    """What the container would say against any job that the ranges can lead to."""
    first = {each.name: each.values[0] for each in ranges}
    found = [
        complaint
        for each in ranges
        for value in each.values
        for complaint in hyperparameters.complaints(fixed | first | {each.name: value})
    ]
    return list(dict.fromkeys(found))


def parameter_ranges(ranges: list[Range]) -> dict[str, list[dict[str, Any]]]:
    """All ranges as SageMaker wants them, by kind."""
    kinds = dict.fromkeys(each.kind for each in ranges)
    return {
        f"{kind}ParameterRanges": [each.request() for each in ranges if each.kind == kind]
        for kind in kinds
    }


def _range(name: str, text: str) -> Range:
    """Reads a range. Raises ValueError with the end of a sentence."""
    if name not in fields_by_name():
        hint = did_you_mean(name, fields_by_name())
        raise ValueError(f"this algorithm has no such hyperparameter{hint or '.'}")
    rule = rule_of(name)
    if isinstance(rule, OneOf | Flag):
        return Range(name, tuple(text.split(",")), "Categorical")
    if not isinstance(rule, Integer | Number):
        raise ValueError("this hyperparameter cannot be tuned.")
    low, _, high = text.partition(":")
    try:
        ascending = float(low) < float(high)
    except ValueError:
        ascending = False
    if not ascending:
        raise ValueError(f"found {text!r}, allowed: two numbers, the smaller first, such as 1:128.")
    return Range(name, (low, high), "Integer" if isinstance(rule, Integer) else "Continuous")
