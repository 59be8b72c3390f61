"""Log lines with the original prefix, ``[01/12/2025 23:57:06 INFO 139670567847744]``."""

import io
import logging
import sys

LOGGER_NAME = "semseg"
LINE_FORMAT = "[%(asctime)s %(levelname)s %(thread)d] %(message)s"
DATE_FORMAT = "%m/%d/%Y %H:%M:%S"


def configure_logging() -> None:
    """Send what this package logs, INFO and above, to standard output and nowhere else.

    Calling it again replaces the handler, so it also follows a standard output that was exchanged.
    File names that are not valid UTF-8 are printed with escapes.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(LINE_FORMAT, DATE_FORMAT))
    logger = logging.getLogger(LOGGER_NAME)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
