"""A request on its way in: whether it is all there, so that no thread has to wait for the rest."""

import io

from gunicorn.http.unreader import Unreader

from semseg.serving.chunks import Chunks
from semseg.serving.head import (
    MOST_FIRST_LINE,
    UNHEARD_OF,
    begins_well,
    has_bare_line_feed,
    read_head,
    without_expectations,
)

_LEAST_AT_ONCE = 8192
_MOST_AT_ONCE = 1 << 20

_END = b"\r\n\r\n"

# More than gunicorn takes (a hundred fields of 8190 bytes): beyond it, its parser refuses.
_MOST_HEAD = 1 << 20

# What chunks may take beside what they hold, and not more than that: their heads are memory too.
_MOST_CHUNK_HEADS = 16 << 20


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
        no_http: whether it is something else. gunicorn's parser might wait for more of it.
        too_long: bytes that a longer body than `most` has at least; else 0.
    """

    def __init__(self, most: int) -> None:
        self.data = bytearray()
        self.whole = False
        self.complete = False
        self.no_http = False
        self.too_long = 0
        self._most = most
        self._body = 0  # where it begins, once the head is there
        self._length = 0
        self._chunks: Chunks | None = None
        self._expects = False
        self._seen = 0  # of the head; all before it has been looked at

    def add(self, piece: bytes) -> None:
        """Takes in what has come."""
        self.data += piece
        if not self._body and not self.whole:
            self._look_for_the_head()
        if self._body and not self.whole:
            self.whole = self._all_chunks(self._chunks) if self._chunks else self._all_bytes()

    def invited(self) -> bool:
        """Whether the client waits for "100 Continue" before it sends the body; true once."""
        if self.whole or not self._expects or len(self.data) > self._body:
            return False
        self.data[:] = without_expectations(self.data)
        self._body = len(self.data)
        if self._chunks:
            self._chunks = Chunks(self._body, self._most)
        self._expects = False
        return True

    def _look_for_the_head(self) -> None:
        begins = begins_well(self.data)
        end = self.data.find(_END, max(0, self._seen - len(_END)))
        fields_end = len(self.data) if end < 0 else end
        self.no_http = begins is False or has_bare_line_feed(self.data, self._seen, fields_end)
        self._seen = len(self.data)
        if self.no_http:
            self.whole = True
        elif end < 0:
            self.whole = len(self.data) > (_MOST_HEAD if begins else MOST_FIRST_LINE)
        else:
            self._take_in_head(end)

    def _take_in_head(self, end: int) -> None:
        self._body = end + len(_END)
        head = read_head(bytes(self.data[: end + 2]))
        self.whole, self._length, self._expects = head.hopeless, head.length, head.expects
        if head.chunked:
            self._chunks = Chunks(self._body, self._most)

    def _all_bytes(self) -> bool:
        self.complete = len(self.data) >= self._body + self._length
        return self.complete or self._goes_too_far(self._length)

    def _all_chunks(self, chunks: Chunks) -> bool:
        chunks.look(self.data)
        self.complete = chunks.complete
        came = len(self.data) - self._body
        most = self._most + min(self._most, _MOST_CHUNK_HEADS) + _MOST_HEAD
        if not chunks.whole and came > most:
            return self._goes_too_far(came)
        return self._goes_too_far(chunks.length) or chunks.whole

    def _goes_too_far(self, length: int) -> bool:
        """Whether a body of this length does; notes it."""
        self.too_long = min(length, UNHEARD_OF) if length > self._most else 0
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
