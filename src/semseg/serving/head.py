"""What the head of a request says of its body, before gunicorn's parser has a look at it.

Where this is stricter than gunicorn, somebody's good request is refused; where it is more lenient,
somebody waits for an answer to a bad one. So the patterns are gunicorn's own.
"""

import re
from dataclasses import dataclass

# The longest first line that gunicorn can be made to take.
MOST_FIRST_LINE = 8190

_METHOD = rb"[!$%&'*+\-.^_`|~0-9A-Z]"
_FIRST_LINE = re.compile(rb"(?:\r\n)?" + _METHOD + rb"{3,20} [!-~]+ HTTP/1\.([0-9])\r\n")
_FIRST_WORDS = re.compile(
    rb"\r|(?:\r\n)?(?:" + _METHOD + rb"{0,20}|" + _METHOD + rb"{3,20} [!-~]*(?:[!-~] [!-~]*\r?)?)"
)
_FIELDS = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)*")
_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")

_LENGTH = re.compile(rb"\r\ncontent-length:([^\r\n]*)", re.IGNORECASE)
_MOST_DIGITS = 18  # more than anybody can send
UNHEARD_OF = 10**_MOST_DIGITS - 1
_CODED = re.compile(rb"\r\ntransfer-encoding:([^\r\n]*)", re.IGNORECASE)
_EXPECTED = re.compile(rb"\r\nexpect:([^\r\n]*)", re.IGNORECASE)
_INVITATION = b"100-continue"


@dataclass(frozen=True)
class Head:
    """What matters of it.

    Attributes:
        length: bytes of the body, 0 where it comes in chunks.
        chunked: whether it does.
        hopeless: gunicorn will refuse the request, whatever its body is.
        expects: the client waits for "100 Continue" before it sends the body.
    """

    length: int
    chunked: bool
    hopeless: bool
    expects: bool


def begins_well(data: bytearray) -> bool | None:
    """Whether the first line is one of HTTP; None where it is not all there, but may become one."""
    if _FIRST_LINE.match(data):
        return True
    return None if _FIRST_WORDS.fullmatch(data, 0, MOST_FIRST_LINE) else False


def has_bare_line_feed(data: bytearray, start: int, end: int) -> bool:
    """Whether a line in this part ends otherwise than HTTP's lines do."""
    return _BARE_LINE_FEED.search(data, start, end) is not None


def read_head(data: bytes) -> Head:
    """What a head says, given with the end of its last field but without the empty line."""
    lengths, codings = _LENGTH.findall(data), _CODED.findall(data)
    chunked = [coding.strip().lower() for coding in codings] == [b"chunked"]
    digits = lengths[0].strip() if lengths else b"0"
    expected = {value.strip(b" \t").lower() for value in _EXPECTED.findall(data)}
    first_line = _FIRST_LINE.match(data)
    is_old = first_line is not None and first_line[1] == b"0"
    hopeless = (
        first_line is None
        or not _FIELDS.fullmatch(data, first_line.end())
        or len(lengths) + len(codings) > 1
        or (bool(codings) and (is_old or not chunked))
        or not digits.isdigit()
        or not expected <= {_INVITATION}
    )
    length = 0 if hopeless else int(digits.lstrip(b"0")[:_MOST_DIGITS] or b"0")
    # RFC 9110, 10.1.1: an expectation in HTTP/1.0 is ignored, and nobody there knows the answer.
    return Head(length, chunked, hopeless, bool(expected) and not is_old)


def without_expectations(head: bytearray) -> bytes:
    """The head without what has been answered already: gunicorn would answer it once more."""
    return _EXPECTED.sub(b"", head)
