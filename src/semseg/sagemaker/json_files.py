"""Reading the platform's JSON files: one object each, and a plain sentence where it is not."""

import json
from collections import Counter
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
    try:
        text = path.read_bytes().decode("utf-8-sig")
        content = json.loads(text, object_pairs_hook=_without_duplicates)
    except FileNotFoundError:
        raise CustomerError(f"{path.name} is missing: there is no file {path}") from None
    except OSError as error:
        raise CustomerError(f"{path.name} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise CustomerError(
            f"{path.name} is not UTF-8 text: byte {error.start} of {path} is not valid"
        ) from error
    except json.JSONDecodeError as error:
        reason = "it is empty" if not text.strip() else error.msg
        where = f"line {error.lineno}, column {error.colno} of {path}"
        raise CustomerError(f"{path.name} is not valid JSON: {reason} ({where})") from error
    except _DuplicateNameError as error:
        raise CustomerError(f"{path.name} names {error} more than once ({path})") from error
    except (ValueError, RecursionError) as error:
        raise CustomerError(f"{path.name} is not usable JSON: {error} ({path})") from error
    if not isinstance(content, dict):
        raise CustomerError(
            f"{path.name} must hold a JSON object, names and values; found {show(content)} ({path})"
        )
    return content


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = [show(name) for name, count in counts.items() if count > 1]
        raise _DuplicateNameError(", ".join(twice))
    return content
