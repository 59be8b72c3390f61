"""What a stream brings, read by a thread of its own while training is at work.

The thread reads ahead up to a number of bytes and then waits, so a slow reader costs no memory.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")

_CHECK_EVERY = 0.5  # seconds


class ReadAhead(Generic[T]):
    """An iterator over what `read` yields in its thread; a context, at whose end that thread ends.

    Args:
        read: makes the iterator; it is given a function that tells whether to give up, which it
            has to ask whenever it waits.
        size: the bytes that an item takes.
        most: so many bytes are read ahead, and at least one item.
        check: is called every now and then by whoever waits for an item; may raise.
    """

    def __init__(
        self,
        read: Callable[[Callable[[], bool]], Iterator[T]],
        size: Callable[[T], int],
        most: int,
        check: Callable[[], None],
    ) -> None:
        self._read = read
        self._size = size
        self._most = most
        self._check = check
        self._items: deque[T] = deque()
        self._bytes = 0
        self._ended = False
        self._error: BaseException | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="semseg-data-stream", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        self._items.clear()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        """The next item. Raises what reading raised, once all that came before is handed out."""
        with self._changed:
            while not self._changed.wait_for(lambda: self._items or self._ended, _CHECK_EVERY):
                self._check()
            if self._items:
                item = self._items.popleft()
                self._bytes -= self._size(item)
                self._changed.notify_all()
                return item
        if self._error is not None:
            raise self._error
        raise StopIteration

    def _run(self) -> None:
        try:
            for item in self._read(lambda: self._closed):
                if not self._put(item):
                    break
        except SystemExit as end:  # must not end the whole program when it is raised again
            self._error = RuntimeError("The thread that reads a stream was ended from outside")
            self._error.__cause__ = end
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, item: T) -> bool:
        """Hands over an item when there is room; tells whether more are wanted."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or not self._items or self._bytes < self._most
            )
            self._items.append(item)
            self._bytes += self._size(item)
            self._changed.notify_all()
            return not self._closed
