"""What the text of a hyperparameter may be: one small class for each kind of value.

SageMaker sends every value as a string. A rule reads that string, says in words what it allows, and
plugs itself into pydantic as the schema of the field it annotates. JSON numbers and booleans, which
hand-written files contain, count as their text.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Rule(ABC):
    """Metadata of an annotated field: reads text, and knows what it allows."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What the text may be, in words."""

    @abstractmethod
    def read(self, text: str) -> Any:
        """The value of `text`. Raises ValueError where it is not allowed."""

    def check(self, value: object) -> Any:
        """The value of whatever the JSON file holds. Raises ValueError saying what is allowed."""
        try:
            return self.read(_as_text(value))
        except ValueError:
            raise ValueError(self.allowed) from None

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)


@dataclass(frozen=True)
class Integer(Rule):
    """A whole number between two inclusive ends, the upper one open-ended where it is None."""

    minimum: int
    maximum: int | None = None

    @property
    def allowed(self) -> str:
        """The range in words."""
        if self.maximum is None:
            return f"an integer of at least {self.minimum}"
        return f"an integer from {self.minimum} to {self.maximum}"

    def read(self, text: str) -> int:
        """The integer of decimal digits."""
        if not _INTEGER.fullmatch(text):
            raise ValueError(text)
        value = int(text)
        if value < self.minimum or (self.maximum is not None and value > self.maximum):
            raise ValueError(text)
        return value


@dataclass(frozen=True)
class Number(Rule):
    """A finite number from 0 to 1, either end included or not."""

    zero: bool = True
    one: bool = True

    @property
    def allowed(self) -> str:
        """The range in words."""
        low = "of at least 0" if self.zero else "above 0"
        return f"a number {low} and {'at most' if self.one else 'below'} 1"

    def read(self, text: str) -> float:
        """The number, plain or with an exponent; nan and inf are none."""
        if not _NUMBER.fullmatch(text):
            raise ValueError(text)
        value = float(text)
        if not (0 < value < 1 or (self.zero and value == 0) or (self.one and value == 1)):
            raise ValueError(text)
        return value


@dataclass(frozen=True)
class Flag(Rule):
    """True or False in any case."""

    allowed = "True or False"

    def read(self, text: str) -> bool:
        """Whether the text says True."""
        return ("false", "true").index(text.lower()) == 1


@dataclass(frozen=True, init=False)
class OneOf(Rule):
    """One of a few words, spelt exactly."""

    words: tuple[str, ...]

    def __init__(self, *words: str) -> None:
        object.__setattr__(self, "words", words)

    @property
    def allowed(self) -> str:
        """The words, the last after an 'or'."""
        *most, last = self.words
        return f"{', '.join(most)} or {last}" if most else last

    def read(self, text: str) -> str:
        """The word itself."""
        if text not in self.words:
            raise ValueError(text)
        return text


@dataclass(frozen=True)
class AutoOr(Rule):
    """The word auto, or what another rule allows; auto is read as None."""

    rule: Rule

    @property
    def allowed(self) -> str:
        """Both ways."""
        return f"auto or {self.rule.allowed}"

    def read(self, text: str) -> Any:
        """None for auto."""
        return None if text == "auto" else self.rule.read(text)


@dataclass(frozen=True)
class Epochs(Rule):
    """Epochs separated by commas, with or without spaces, such as ``10, 20``; may be empty."""

    allowed = "a comma-separated list of epochs, such as 10, 20"

    def check(self, value: object) -> Any:
        """As every rule; the field's own default, a tuple, counts as its text."""
        if isinstance(value, tuple):
            value = ", ".join(map(str, value))
        return super().check(value)

    def read(self, text: str) -> tuple[int, ...]:
        """The epochs in ascending order."""
        epoch = Integer(minimum=1)
        return tuple(sorted(epoch.read(item.strip()) for item in text.split(","))) if text else ()


@dataclass(frozen=True)
class Text(Rule):
    """Any string."""

    allowed = "any text"

    def read(self, text: str) -> str:
        """The text itself."""
        return text


def _as_text(value: object) -> str:
    """The text of a string, number or boolean. Raises ValueError for null, lists and objects."""
    if not isinstance(value, str | int | float):
        raise ValueError(value)
    return str(value).strip()
