"""The three ways a job can end badly, as AWS's own algorithms distinguish them.

Each class carries the label of its log line and the exit code of the process. AWS's images log
``Customer Error: ...`` and leave with 2 where the customer can mend the cause.
"""

from typing import ClassVar


class SemsegError(Exception):
    """A job that ends with one plain message; raise one of the three subclasses."""

    label: ClassVar[str]
    exit_code: ClassVar[int]

    def __init__(self, message: str) -> None:
        super().__init__(message)


class CustomerError(SemsegError):
    """The customer can mend it: hyperparameters, channels, data."""

    label = "Customer Error"
    exit_code = 2


class AlgorithmError(SemsegError):
    """A defect of this program."""

    label = "Algorithm Error"
    exit_code = 1


class PlatformError(SemsegError):
    """The machine or the service failed: disk full, memory exhausted."""

    label = "Platform Error"
    exit_code = 3
