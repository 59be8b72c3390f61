"""The one place where an exception becomes a log line, a failure file and an exit code.

SageMaker shows the first 1024 characters of ``/opt/ml/output/failure`` as ``FailureReason``, after
a prefix of its own, so the file begins with the message and nothing else.
"""

import errno
import logging
from collections.abc import Callable
from contextlib import suppress

from semseg.sagemaker.errors import AlgorithmError, CustomerError, PlatformError, SemsegError
from semseg.sagemaker.files import write_bytes
from semseg.sagemaker.tree import Tree

logger = logging.getLogger(__name__)

FAILURE_REASON_LIMIT = 1024
_REST_IS_IN_THE_LOG = "\n... (cut: the whole message is in the log)"

_PLATFORM_FAULTS = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EROFS: "The file system is read-only",
    errno.EACCES: "A file may not be used",
    errno.EPERM: "A file may not be used",
    errno.EIO: "The disk or the network file system failed",
    errno.ESTALE: "The network file system went away",
    errno.ENOTCONN: "The network file system went away",
    errno.ENOMEM: "The machine ran out of memory",
    errno.EMFILE: "The process has too many open files",
    errno.ENFILE: "The machine has too many open files",
}


def run(program: Callable[[], None], tree: Tree) -> int:
    """Run `program` and answer with the exit code of the process: 0, or that of its error.

    KeyboardInterrupt and SystemExit pass through. Everything else is logged and leaves its message
    in the failure file of `tree`; a failure file that cannot be written is only a warning.
    """
    with suppress(OSError):  # what an earlier job left would be read as this one's
        tree.failure.unlink(missing_ok=True)
    try:
        program()
    except Exception as error:
        failure = classify(error)
        # A traceback shows where a defect is; a customer needs only the sentence.
        traceback = None if isinstance(failure, CustomerError) else error
        logger.error("%s: %s", failure.label, failure, exc_info=traceback)
        _leave_failure_file(tree, str(failure))
        return failure.exit_code
    return 0


def classify(error: Exception) -> SemsegError:
    """Whose fault an exception is, in a sentence."""
    if isinstance(error, SemsegError):
        return error
    cause = f"(caused by {type(error).__name__})"
    if isinstance(error, MemoryError):
        return PlatformError(
            "The machine ran out of memory; a smaller mini_batch_size or crop_size, "
            f"or a larger instance, needs less {cause}"
        )
    if isinstance(error, OSError) and error.errno in _PLATFORM_FAULTS:
        return PlatformError(f"{_PLATFORM_FAULTS[error.errno]}: {error} {cause}")
    return AlgorithmError(f"{_essence(str(error))} {cause}".strip())


def _essence(message: str) -> str:
    """The message; of MXNet's, which begin with a C++ traceback, the last line."""
    return message.strip().splitlines()[-1] if message.startswith("Traceback") else message


def _leave_failure_file(tree: Tree, message: str) -> None:
    try:
        write_bytes(tree.failure, _first_part(message))
    except OSError as error:
        logger.warning("The failure file %s could not be written: %s", tree.failure, error)


def _first_part(message: str) -> bytes:
    """As much of the message as fits into the limit, with a word on what is missing."""
    data = message.encode("utf-8", "backslashreplace")
    if len(data) <= FAILURE_REASON_LIMIT:
        return data
    kept = data[: FAILURE_REASON_LIMIT - len(_REST_IS_IN_THE_LOG)].decode("utf-8", "ignore")
    return (kept + _REST_IS_IN_THE_LOG).encode()
