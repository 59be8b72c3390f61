"""Log lines with the original prefix, ``[01/12/2025 23:57:06 INFO 139670567847744]``."""

import io
import logging
import sys
from typing import TextIO

LOGGER_NAME = "semseg"
LINE_FORMAT = "[%(asctime)s %(levelname)s %(thread)d] %(message)s"
COMMAND_LINE_FORMAT = "%(levelname)s: %(message)s"
DATE_FORMAT = "%m/%d/%Y %H:%M:%S"


def configure_logging(level: int = logging.INFO) -> None:
    """Send what this package logs, of this level and above, to standard output and nowhere else.

    Calling it again replaces the handler, so it also follows a standard output that was exchanged.
    File names that are not valid UTF-8 are printed with escapes.
    """
    _log_to(sys.stdout, LINE_FORMAT, level)


def configure_command_logging() -> None:
    """As `configure_logging`, but for a person at a terminal.

    Plain lines on standard error: standard output belongs to what the command was asked for.
    """
    _log_to(sys.stderr, COMMAND_LINE_FORMAT, logging.INFO)


def _log_to(stream: TextIO, line_format: str, level: int) -> None:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(line_format, DATE_FORMAT))
    logger = logging.getLogger(LOGGER_NAME)
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False
