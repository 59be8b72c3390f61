"""Everything that is wrong, in one message: a summary line, then a line for each problem.

The summary names what is wrong within the first hundred or so characters, because the failure file
has room for 1024 only.
"""

import difflib
import json
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NAMES_IN_SUMMARY = 10
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


@dataclass(frozen=True)
class Problem:
    """One thing to mend: the name of what is wrong, and a clause that says why."""

    name: str
    text: str

    def __str__(self) -> str:
        return f"{shorten(self.name)}: {self.text}"


def summarize(where: str, problems: Sequence[Problem]) -> str:
    """The message about all `problems` found in the file `where`."""
    names = list(dict.fromkeys(shorten(problem.name) for problem in problems))
    listed = ", ".join(names[:_NAMES_IN_SUMMARY])
    if len(names) > _NAMES_IN_SUMMARY:
        listed += f" and {len(names) - _NAMES_IN_SUMMARY} more"
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return "\n".join([f"{where}: {count} ({listed})", *map(str, problems)])


def shorten(name: str) -> str:
    """`name` as it is, unless it is very long or would break the line."""
    return name if name.isprintable() and len(name) <= 80 else _SHORT.repr(name)


def show(value: object) -> str:
    """A value as the customer wrote it: strings quoted, anything else as JSON, nothing endless."""
    if isinstance(value, str):
        return _SHORT.repr(value)
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'optimizer'?"``, or nothing where no known name is near."""
    wanted = name.strip().lower().replace("-", "_")
    nearest = difflib.get_close_matches(wanted, known, n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
