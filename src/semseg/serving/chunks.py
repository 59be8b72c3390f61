"""Where a body that comes in chunks ends."""

import re

from gunicorn.http.body import CHUNK_EXT_RE  # type: ignore[attr-defined]  # newer than the stubs

from semseg.serving.head import has_bare_line_feed

_LINE_END = b"\r\n"
_MOST_LINE = 4096
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]+")


class Chunks:
    """Looks for the end of a body in chunks, as gunicorn's parser will find it.

    Args:
        start: where the body begins.
        most: bytes of the longest body.

    Attributes:
        whole: whether there is nothing to wait for: it ends, is malformed, or too long.
        complete: whether it ends, and gunicorn's parser will have no complaint.
        length: bytes of the chunks that have come, and of the one that is announced.
    """

    def __init__(self, start: int, most: int) -> None:
        self.whole = False
        self.complete = False
        self.length = 0
        self._most = most
        self._decoded = 0
        self._seen = start  # all before it has been looked at
        self._looked = start  # the same, of the fields behind the last chunk

    def look(self, data: bytearray) -> None:
        """Looks at what has come.

        Args:
            data: the request from its first byte on.
        """
        while not self.whole and self._takes_one(data):
            pass

    def _takes_one(self, data: bytearray) -> bool:
        """Whether one more chunk has come."""
        end = data.find(_LINE_END, self._seen, self._seen + _MOST_LINE)
        if end < 0:
            too_long = len(data) - self._seen >= _MOST_LINE
            self.whole = too_long or has_bare_line_feed(data, self._seen, len(data))
            return False
        size = _size(bytes(data[self._seen : end]))
        if size is None:
            self.whole = True
        elif size == 0:
            self._look_for_the_end(data, end + 2)
        else:
            return self._takes_it(data, end + 2, size)
        return False

    def _takes_it(self, data: bytearray, start: int, size: int) -> bool:
        """Whether the chunk that begins there has come."""
        self.length = self._decoded + size
        end = start + size + len(_LINE_END)
        if self.length > self._most:
            self.whole = True
        if self.whole or len(data) < end:
            return False
        self.whole = data[end - len(_LINE_END) : end] != _LINE_END
        self._seen, self._decoded = end, self.length
        return True

    def _look_for_the_end(self, data: bytearray, start: int) -> None:
        """Looks at what follows the last chunk's size.

        Fields may, and gunicorn takes not all of them. A request that has some is not `complete`,
        which costs the client its connection, but never the answer.
        """
        if data[start : start + 2] == _LINE_END:
            self.whole = self.complete = True
            return
        new = max(start, self._looked)
        ended = data.find(_LINE_END + _LINE_END, max(start, new - 3)) >= 0
        self.whole = ended or has_bare_line_feed(data, new, len(data))
        self._looked = len(data)


def _size(line: bytes) -> int | None:
    """Bytes of a chunk; None if gunicorn does not take the line."""
    digits, semicolon, extensions = line.partition(b";")
    if semicolon:
        if not CHUNK_EXT_RE.fullmatch(semicolon + extensions):
            return None
        digits = digits.rstrip(b" \t")
    return int(digits, 16) if _HEXADECIMAL.fullmatch(digits) else None
