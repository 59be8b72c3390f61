import logging
import re
import threading
from collections.abc import Callable

from semseg.sagemaker.logs import configure_logging

Printed = Callable[[Callable[[], object]], list[str]]

logger = logging.getLogger("semseg.somewhere")


def test_lines_have_the_originals_prefix(printed: Printed) -> None:
    (line,) = printed(lambda: logger.warning("%s is not a readable image file", "/x"))
    pattern = r"\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d WARNING (\d+)\] /x is not a readable image file"
    match = re.fullmatch(pattern, line)
    assert match
    assert int(match[1]) == threading.get_ident()


def test_configuring_again_prints_once_and_nowhere_else(printed: Printed) -> None:
    def twice() -> None:
        configure_logging()
        logger.info("once")

    assert len(printed(twice)) == 1
    assert not logging.getLogger("semseg").propagate


def test_debug_is_silent(printed: Printed) -> None:
    assert printed(lambda: logger.debug("hidden")) == []


def test_file_names_that_are_not_utf_8_are_printed_with_escapes(printed: Printed) -> None:
    (line,) = printed(lambda: logger.info("bad \udcff name"))
    assert line.endswith("] bad \\udcff name")
