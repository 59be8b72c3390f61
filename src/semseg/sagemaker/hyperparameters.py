"""From ``hyperparameters.json`` to typed hyperparameters, or to one message with all that is wrong.

The defaults in ``default-input.json`` are those which the original container prints at start-up.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameter_schema import Hyperparameters, fields_by_name, rule_of
from semseg.sagemaker.json_files import read_json_object
from semseg.sagemaker.problems import Problem, did_you_mean, show, summarize

__all__ = ["DEFAULT_FILE", "Configuration", "Hyperparameters", "defaults", "read_hyperparameters"]

logger = logging.getLogger(__name__)

DEFAULT_FILE = Path(__file__).with_name("default-input.json")

# AWS requires it although the container's default file holds an 8.
_DEFAULT_DOES_NOT_COUNT = "num_training_samples"
_HINTS = {
    "image_shape": ", although AWS's memory notes mention it: crop_size sets the size of images"
}


@dataclass(frozen=True)
class Configuration:
    """The hyperparameters as SageMaker's strings, before and after the merge, and as typed values.

    `final` is what goes into ``hyperparams.json``: every default, overridden by what was provided,
    without surrounding whitespace, and otherwise spelt as the customer did.
    """

    default: dict[str, str]
    provided: dict[str, str]
    final: dict[str, str]
    hyperparameters: Hyperparameters

    @classmethod
    def merge(cls, default: Mapping[str, Any], provided: Mapping[str, Any]) -> Self:
        """`provided` over `default`, checked. Raises CustomerError naming every problem."""
        final = {**default, **provided}
        hyperparameters = _validate(final, provided)
        return cls(_texts(default), _texts(provided), _texts(final), hyperparameters)


def defaults() -> dict[str, str]:
    """The original container's default configuration, in its order."""
    return read_json_object(DEFAULT_FILE)


def read_hyperparameters(path: Path) -> Configuration:
    """The configuration of the job whose ``hyperparameters.json`` is `path`.

    Logs the three lines of the original container first, so that a wrong value shows in the log.
    Raises CustomerError: a file that is no JSON object, or all problems of its values at once.
    """
    default = defaults()
    logger.info("Reading default configuration from %s: %s", DEFAULT_FILE, default)
    provided = read_json_object(path)
    logger.info("Merging with provided configuration from %s: %s", path, provided)
    logger.info("Final configuration: %s", {**default, **provided})
    return Configuration.merge(default, provided)


def _validate(final: dict[str, Any], provided: Mapping[str, Any]) -> Hyperparameters:
    values = dict(final)
    if _DEFAULT_DOES_NOT_COUNT not in provided:
        values.pop(_DEFAULT_DOES_NOT_COUNT, None)
    try:
        return Hyperparameters.model_validate(values)
    except ValidationError as error:
        problems = [_problem(details) for details in error.errors(include_url=False)]
        raise CustomerError(summarize("hyperparameters.json", problems)) from None


def _problem(details: ErrorDetails) -> Problem:
    name = str(details["loc"][0])
    if details["type"] == "missing":
        because = details.get("ctx", {}).get("because", "")
        return Problem(name, f"no value was specified; required{because}: {rule_of(name).allowed}")
    if details["type"] == "extra_forbidden":
        hint = _HINTS.get(name) or did_you_mean(name, fields_by_name())
        found = show(details["input"])
        return Problem(name, f"found {found}, but this algorithm has no such hyperparameter{hint}")
    allowed = str(details["ctx"]["error"])
    return Problem(name, f"found {show(details['input'])}, allowed: {allowed}")


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value).strip() for name, value in values.items()}
