"""Several things are read, and all that is wrong with any of them is said at once.

A mistake in one file should not hide those in the next: each try on SageMaker costs money and time.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from semseg.sagemaker.errors import CustomerError

T = TypeVar("T")


class Attempt(Generic[T]):
    """What was read, or what the customer has to mend before it can be.

    Args:
        read: reads it, at once.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self.error: CustomerError | None = None
        try:
            self._value = read()
        except CustomerError as error:
            self.error = error

    @property
    def value(self) -> T:
        """What was read.

        Raises:
            CustomerError: it could not be; always the same one.
        """
        if self.error:
            raise self.error
        return self._value


def raise_all(*attempts: Attempt[Any]) -> None:
    """Goes on only where nothing is wrong with any of them.

    The summary lines come first, since the failure file has no room for everything.

    Raises:
        CustomerError: all that is wrong.
    """
    errors = list(dict.fromkeys(attempt.error for attempt in attempts if attempt.error))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        said = [str(error).splitlines() for error in errors]
        summaries = [lines[0] for lines in said]
        raise CustomerError("\n".join(summaries + [line for lines in said for line in lines[1:]]))
