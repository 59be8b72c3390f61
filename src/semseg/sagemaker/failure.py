"""The one place where an exception becomes a log line, a failure file and an exit code.

SageMaker shows the first 1024 characters of ``/opt/ml/output/failure`` as ``FailureReason``, after
a prefix of its own, so the file begins with the message and nothing else.
"""

import logging
from collections.abc import Callable
from contextlib import suppress

from semseg.sagemaker.errors import AlgorithmError, CustomerError, PlatformError, SemsegError
from semseg.sagemaker.files import write_bytes
from semseg.sagemaker.platform_faults import fault_in
from semseg.sagemaker.tree import Tree

logger = logging.getLogger(__name__)

FAILURE_REASON_LIMIT = 1024
_REST_IS_IN_THE_LOG = "\n... (cut: the whole message is in the log)"


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
        return report(error, tree)
    return 0


def report(error: Exception, tree: Tree) -> int:
    """Log an error, leave its message in the failure file, and answer with its exit code."""
    failure = classify(error)
    # A traceback shows where a defect is; a customer needs only the sentence.
    traceback = None if isinstance(failure, CustomerError) else error
    logger.error("%s: %s", failure.label, failure, exc_info=traceback)
    _leave_failure_file(tree, str(failure))
    return failure.exit_code


def classify(error: Exception) -> SemsegError:
    """Whose fault an exception is, in a sentence."""
    if isinstance(error, SemsegError):
        return error
    fault = fault_in(error)
    said = ": ".join(filter(None, (fault, _essence(str(error)))))
    message = f"{said} (caused by {type(error).__name__})".strip()
    return AlgorithmError(message) if fault is None else PlatformError(message)


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
