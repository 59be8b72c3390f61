"""What AWS's own description of its API, which botocore carries, says against a request.

boto3 checks types, names and lower limits before it sends; AWS checks the upper limits, patterns
and enumerations of the same description. Here all of it is checked, without a connection.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from semseg.sagemaker.problems import did_you_mean, show

# botocore's words on lower limits, which are checked below together with the upper ones.
_LIMITS = ("Invalid length", "Invalid value")
_NAME = "letters, digits and hyphens, beginning and ending with a letter or digit"
_IN_WORDS = {
    "RoleArn": "the ARN of a role, such as arn:aws:iam::123456789012:role/SageMaker",
    "S3Uri": "a place in S3, such as s3://bucket/folder",
    "TagKey": "letters, digits, spaces and _.:/=+-@",
    "TagValue": "letters, digits, spaces and _.:/=+-@",
}
# Java's classes of characters and what comes nearest in Python, between brackets.
_JAVA = {r"\p{L}": r"\w", r"\p{Z}": " ", r"\p{N}": r"\d", r"\p{Alnum}": "A-Za-z0-9"}


def complaints(service: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """A sentence for everything in `parameters` that the operation does not allow."""
    shape = _model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape)
    lines = report.generate_report().splitlines()
    if wrong := [line for line in lines if not line.startswith(_LIMITS)]:
        return [f"{operation}: {line}." for line in wrong]
    return list(_walk(shape, parameters, ""))


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _walk(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, item in value.items():
            yield from _walk(shape.members[name], item, f"{path}.{name}".lstrip("."))
    elif shape.type_name == "list":
        yield from _about_length(shape, value, path, "entries")
        for number, item in enumerate(value):
            yield from _walk(shape.member, item, f"{path}[{number}]")
    elif shape.type_name == "map":
        yield from _about_length(shape, value, path, "entries")
        for name, item in value.items():
            yield from _walk(shape.key, name, path)
            yield from _walk(shape.value, item, f"{path}.{name}")
    elif shape.type_name == "string":
        yield from _about_text(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _about_limits(shape, value, f"{path}: found {value}")


def _about_length(shape: Shape, value: Any, path: str, unit: str) -> Iterator[str]:
    found = f"found {show(value)}, which has" if isinstance(value, str) else "found"
    yield from _about_limits(shape, len(value), f"{path}: {found} {len(value)} {unit}")


def _about_limits(shape: Shape, size: float, found: str) -> Iterator[str]:
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")
    if smallest is not None and size < smallest:
        yield f"{found}, AWS allows at least {smallest}."
    if largest is not None and size > largest:
        yield f"{found}, AWS allows at most {largest}."


def _about_text(shape: Shape, text: str, path: str) -> Iterator[str]:
    if len(text) > shape.metadata.get("max", len(text)):
        yield from _about_length(shape, text, path, "characters")
    elif shape.enum and text not in shape.enum:
        hint = did_you_mean(text, shape.enum)
        yield f"{path}: AWS knows no {show(text)}, or this boto3 is older than it{hint or '.'}"
    elif "pattern" in shape.metadata and not _fits(shape.metadata["pattern"], text):
        yield f"{path}: found {show(text)}, AWS allows {_in_words(shape)}."
    else:
        yield from _about_length(shape, text, path, "characters")


def _fits(pattern: str, text: str) -> bool:
    for java, python in _JAVA.items():
        pattern = pattern.replace(java, python)
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return True  # a word of Java's that Python lacks: AWS itself will say


def _in_words(shape: Shape) -> str:
    pattern = shape.metadata["pattern"]
    if shape.name in _IN_WORDS:
        return _IN_WORDS[shape.name]
    return _NAME if pattern.startswith("[a-zA-Z0-9]") else f"what matches {pattern}"
