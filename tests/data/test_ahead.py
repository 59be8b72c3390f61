import threading
import time
from collections.abc import Callable, Iterator

import pytest

from semseg.data.ahead import ReadAhead

STREAM = "semseg-data-stream"  # others in this process are not of these tests


def nothing() -> None:
    """Checks nothing."""


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == STREAM]


def reader(
    read: Callable[[Callable[[], bool]], Iterator[bytes]],
    most: int = 100,
    check: Callable[[], None] = nothing,
) -> ReadAhead[bytes]:
    return ReadAhead(read, len, most, check)


def test_all_items_in_order() -> None:
    items = [bytes([n]) * n for n in range(100)]
    with reader(lambda _: iter(items)) as found:
        assert list(found) == items
    assert threads() == []


def test_only_so_many_bytes_are_read_ahead() -> None:
    read = []

    def items(_: Callable[[], bool]) -> Iterator[bytes]:
        for number in range(50):
            read.append(number)
            yield b"x" * 30

    with reader(items) as found:
        next(found)
        for _ in range(100):
            time.sleep(0.01)
            if len(read) >= 5:
                break
        time.sleep(0.05)
        assert len(read) <= 6  # four that fit, one that goes beyond, one in hand
        assert len([*found]) == 49


def test_one_item_that_is_too_large_passes() -> None:
    with reader(lambda _: iter([b"x" * 1000] * 3)) as found:
        assert len([*found]) == 3


def test_an_error_comes_after_what_came_before_it() -> None:
    def items(_: Callable[[], bool]) -> Iterator[bytes]:
        yield b"a"
        raise ValueError("broken")

    with reader(items) as found:
        assert next(found) == b"a"
        for _ in range(2):
            with pytest.raises(ValueError, match="broken"):
                next(found)
    assert threads() == []


def test_a_thread_that_is_ended_does_not_end_the_program() -> None:
    def items(_: Callable[[], bool]) -> Iterator[bytes]:
        yield b"a"
        raise SystemExit(0)

    with reader(items) as found:
        assert next(found) == b"a"
        with pytest.raises(RuntimeError, match="ended from outside"):
            next(found)


def test_the_end_of_the_context_ends_a_reader_that_waits_for_room() -> None:
    closed = []

    def items(_: Callable[[], bool]) -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 60
        finally:
            closed.append(True)

    with reader(items) as found:
        next(found)
    assert closed == [True]
    assert threads() == []


def test_the_end_of_the_context_ends_a_reader_that_waits_for_a_writer() -> None:
    def items(is_over: Callable[[], bool]) -> Iterator[bytes]:
        while not is_over():
            time.sleep(0.01)
        yield from ()

    with reader(items):
        assert threads() == [STREAM]
    assert threads() == []


def test_whoever_waits_can_be_called_away() -> None:
    def items(is_over: Callable[[], bool]) -> Iterator[bytes]:
        while not is_over():
            time.sleep(0.01)
        yield from ()

    def called_away() -> None:
        raise InterruptedError

    with reader(items, check=called_away) as found, pytest.raises(InterruptedError):
        next(found)
    assert threads() == []
