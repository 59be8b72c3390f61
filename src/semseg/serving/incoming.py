"""A request on its way in: whether it is all there, so that no thread has to wait for the rest."""

import io
import re

from gunicorn.http.unreader import Unreader

_LEAST_AT_ONCE = 8192
_MOST_AT_ONCE = 1 << 20

_END = b"\r\n\r\n"

# More than gunicorn takes (a hundred fields of 8190 bytes): beyond it, its parser refuses.
_MOST_HEAD = 1 << 20
_MOST_CHUNK_HEAD = 4096

_LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_MOST_DIGITS = 18  # more than anybody can send
_UNHEARD_OF = 10**_MOST_DIGITS - 1
_CODED = re.compile(rb"\r\ntransfer-encoding[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_EXPECTATION = re.compile(rb"\r\nexpect[ \t]*:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)


class Incoming:
    """The bytes of one request, and of what the client may have sent after it.

    It looks for the request's end and leaves the rest to gunicorn's parser: what is malformed, or
    longer than anybody will read, counts as whole, because waiting for more would be of no use.

    Args:
        most: bytes of the longest body.

    Attributes:
        data: what has come.
        whole: whether there is nothing to wait for.
        complete: whether all of the body has come.
        too_long: bytes that a longer body than `most` has at least; else 0.
    """

    def __init__(self, most: int) -> None:
        self.data = bytearray()
        self.whole = False
        self.complete = False
        self.too_long = 0
        self._most = most
        self._body = 0  # where it begins, once the head is there
        self._length = 0
        self._chunked = False
        self._seen = 0  # all before it has been looked at
        self._decoded = 0

    def add(self, piece: bytes) -> None:
        """Takes in what has come."""
        self.data += piece
        if not self._body:
            self._look_for_the_head()
        if self._body and not self.whole:
            self.whole = self._all_chunks() if self._chunked else self._all_bytes()

    def invited(self) -> bool:
        """Whether the client waits for "100 Continue" before it sends the body; true once."""
        if self.whole or not self._body or len(self.data) > self._body:
            return False
        expectation = _EXPECTATION.search(self.data, 0, self._body)
        if not expectation:
            return False
        length = expectation.end() - expectation.start()
        del self.data[expectation.start() : expectation.end()]  # gunicorn would say it once more
        self._body -= length
        self._seen -= length
        return True

    def _look_for_the_head(self) -> None:
        end = self.data.find(_END, max(0, self._seen - len(_END)))
        self._seen = len(self.data)
        if end < 0:
            self.whole = len(self.data) > _MOST_HEAD
            return
        self._body = self._seen = end + len(_END)
        head = bytes(self.data[: end + 2])
        lengths, codings = _LENGTH.findall(head), _CODED.findall(head)
        self._chunked = [coding.strip().lower() for coding in codings] == [b"chunked"]
        digits = lengths[0].strip() if lengths else b"0"
        contradicts = len(lengths) + len(codings) > 1 or (codings and not self._chunked)
        if contradicts or not digits.isdigit():
            self.whole = True
        else:
            self._length = int(digits.lstrip(b"0")[:_MOST_DIGITS] or b"0")

    def _all_bytes(self) -> bool:
        self.complete = len(self.data) >= self._body + self._length
        return self.complete or self._goes_too_far(self._length)

    def _all_chunks(self) -> bool:
        while not self._goes_too_far(self._decoded):
            end = self.data.find(b"\r\n", self._seen, self._seen + _MOST_CHUNK_HEAD)
            if end < 0:
                return len(self.data) - self._seen >= _MOST_CHUNK_HEAD
            try:
                size = int(self.data[self._seen : end].partition(b";")[0], 16)
            except ValueError:
                return True
            if size == 0:
                self.complete = self.data.find(_END, end) >= 0
                return self.complete or len(self.data) - end > _MOST_HEAD
            following = end + 2 + size + 2
            if size < 0 or len(self.data) < following:
                return size < 0 or self._goes_too_far(self._decoded + size)
            if self.data[following - 2 : following] != b"\r\n":
                return True
            self._seen = following
            self._decoded += size
        return True

    def _goes_too_far(self, length: int) -> bool:
        """Whether a body of this length does; notes it."""
        self.too_long = min(length, _UNHEARD_OF) if length > self._most else 0
        return self.too_long > 0


class Received(Unreader):
    """What gunicorn's parser reads from: the bytes that have come, and then the end.

    It never waits for the client. Whoever reads an incomplete request comes upon its end too early.

    Attributes:
        complete: whether all of the request is among them.
        too_long: as of `Incoming`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.complete = False
        self.too_long = 0
        self._rest = memoryview(b"")

    def feed(self, request: Incoming) -> None:
        """The next request."""
        self.complete, self.too_long = request.complete, request.too_long
        self._rest = memoryview(request.data)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes, as many as gunicorn's own reader would have asked the socket for."""
        size = max(_LEAST_AT_ONCE, min(size_hint or 0, _MOST_AT_ONCE))
        piece = bytes(self._rest[:size])
        # An empty view would keep all of the request in memory until the next one.
        self._rest = self._rest[size:] if len(self._rest) > size else memoryview(b"")
        return piece

    def left_over(self) -> bytes:
        """Takes out what the client has sent after its request."""
        left = self.buf.getvalue() + bytes(self._rest)
        self.buf, self._rest = io.BytesIO(), memoryview(b"")
        return left
