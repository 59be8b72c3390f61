"""Reading JSON files that hold objects, and a plain sentence where they do not."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.problems import show


class _DuplicateNameError(ValueError):
    """An object that names the same thing twice."""


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in `path`.

    Raises CustomerError, naming the file and, where there is one, the line and column: no such
    file, not readable, not UTF-8, not JSON, not an object, or a name that stands in it twice.
    """
    with _in_plain_words(path):
        content = json.loads(_text(path), object_pairs_hook=_without_duplicates)
    return _object(content, path)


def read_json_objects(path: Path) -> list[dict[str, Any]]:
    """The JSON objects in `path`, one after the other: a single one, or the lines of a manifest.

    Raises CustomerError as `read_json_object` does.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_without_duplicates)
    contents: list[object] = []
    with _in_plain_words(path):
        text = _text(path).strip()
        start = 0
        while start < len(text) or not contents:
            content, end = decoder.raw_decode(text, start)
            contents.append(content)
            start = _after_space(text, end)
    return [_object(content, path) for content in contents]


def _after_space(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    return start


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig")


def _object(content: object, path: Path) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise CustomerError(
            f"{path.name} must hold a JSON object, names and values; found {show(content)} ({path})"
        )
    return content


@contextmanager
def _in_plain_words(path: Path) -> Iterator[None]:
    """Turns whatever reading may raise into a sentence about `path`."""
    try:
        yield
    except FileNotFoundError:
        raise CustomerError(f"{path.name} is missing: there is no file {path}") from None
    except OSError as error:
        raise CustomerError(f"{path.name} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise CustomerError(
            f"{path.name} is not UTF-8 text: byte {error.start} of {path} is not valid"
        ) from error
    except json.JSONDecodeError as error:
        reason = "it is empty" if not error.doc.strip() else error.msg
        where = f"line {error.lineno}, column {error.colno} of {path}"
        raise CustomerError(f"{path.name} is not valid JSON: {reason} ({where})") from error
    except _DuplicateNameError as error:
        raise CustomerError(f"{path.name} names {error} more than once ({path})") from error
    except (ValueError, RecursionError) as error:
        raise CustomerError(f"{path.name} is not usable JSON: {error} ({path})") from error


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = [show(name) for name, count in counts.items() if count > 1]
        raise _DuplicateNameError(", ".join(twice))
    return content
