import pytest
from gunicorn.config import Config
from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import (
    InvalidChunkExtension,
    InvalidChunkSize,
    NoMoreData,
    ParseException,
)
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from hypothesis import given
from hypothesis import strategies as st

from semseg.serving.head import read_head
from semseg.serving.incoming import Incoming, Received

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
LENGTH = HEAD + b"Content-Length: 5\r\n\r\n"
OLD = b"POST / HTTP/1.0\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE = [
    b"GET / HTTP/1.1\r\n\r\n",
    LENGTH + b"12345",
    HEAD + b"content-length:\t5 \r\n\r\n12345",
    CHUNKED + b"5\r\n12345\r\n0\r\n\r\n",
    CHUNKED + b"A;x=y\r\n0123456789\r\n1\r\n\r\r\n0\r\n\r\n",
    CHUNKED + b'a \t; x = "y;\\" z";q\r\n0123456789\r\n00;last\r\n\r\n',
    CHUNKED + b"0\r\n\r\n",
    b"\r\n" + LENGTH + b"12345",
    b"M-SEARCH * HTTP/1.1\r\nContent-Length: 1\r\n\r\n\n",
]
CONFIG = Config()
PIECES = [
    *(b"1\r\na\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"0\r\n", b"\r\n", b"X: 1\r\n", b"0x", b"\t"),
    *(
        b"0",
        b"2",
        b"a",
        b";",
        b"=",
        b'"',
        b"\\",
        b" ",
        b"-",
        b"_",
        b":",
        b"\r",
        b"\n",
        b"\x00",
        b"\xff",
    ),
]
FIELDS = [
    CHUNKED + b"A;x=y\r\n0123456789\r\n1\r\n\r\r\n0\r\nTrailer: 1\r\n\r\n",
    CHUNKED + b"0\r\nX: 1\r\nY: 2\r\n\r\n",
]


def taken(*pieces: bytes, most: int = 100) -> Incoming:
    incoming = Incoming(most)
    for piece in pieces:
        incoming.add(piece)
    return incoming


@pytest.mark.parametrize("request_bytes", WHOLE + FIELDS)
def test_a_request_is_whole_with_its_last_byte(request_bytes):
    incoming = Incoming(100)
    for place in range(len(request_bytes)):
        assert not incoming.whole
        incoming.add(request_bytes[place : place + 1])
    assert incoming.whole
    assert incoming.data == request_bytes


@given(st.sampled_from(WHOLE + FIELDS), st.lists(st.integers(1, 30)))
def test_however_it_is_cut(request_bytes, sizes):
    incoming = Incoming(100)
    rest = request_bytes
    for size in sizes:
        incoming.add(rest[:size])
        rest = rest[size:]
        assert incoming.whole == (not rest)
        assert incoming.complete == (incoming.whole and request_bytes in WHOLE)
    incoming.add(rest + b"GET /next")
    assert incoming.whole
    assert incoming.complete == (request_bytes in WHOLE)


@pytest.mark.parametrize(
    "hopeless",
    [
        HEAD + b"Content-Length: 101\r\n\r\n",
        HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: x\r\n\r\n",
        HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        HEAD + b"Content-Length : 5\r\n\r\n",
        HEAD + b"Content-Length: 5\r\n more\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nno field\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nX: a\rb\r\n\r\n",
        HEAD + b"Expect: miracles\r\nContent-Length: 5\r\n\r\n",
        HEAD + b"Expect: 100-continue\r\nExpect: more\r\nContent-Length: 5\r\n\r\n",
        OLD + b"Transfer-Encoding: chunked\r\n\r\n",
        b"GET /" + b"x" * 8200,
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"65\r\n",
        CHUNKED + b"3\nabc\n",
        CHUNKED + b"0\r\nX: 1\n",
        CHUNKED + b"3\r\nabcdef",
        CHUNKED + b"3;" + b"x" * 5000,
        b"GET / HTTP/1.1\r\nX: " + b"x" * 1_100_000,
    ],
)
def test_what_nobody_will_read_on_is_not_waited_for(hopeless):
    assert taken(hopeless).whole
    assert not taken(hopeless).complete


@pytest.mark.parametrize(
    "line",
    [
        *(b"0x3", b"+3", b"-0", b"0_3", b"3 ", b" 3", b"", b"3\t", b"3\n", b"\xb2"),
        *(b";x", b"3;", b"3;a b", b'3;a="', b"3;\r", b"3;\n", b"3;x=\xff"),
    ],
)
def test_a_chunk_is_what_gunicorn_takes_for_one(line):
    body = b"%s\r\nabc\r\n0\r\n\r\n" % line
    with pytest.raises((InvalidChunkSize, InvalidChunkExtension)):
        ChunkedReader(None, IterUnreader([body])).read(1)

    assert taken(CHUNKED + body).whole
    assert not taken(CHUNKED + body).complete


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_a_body_is_complete_only_where_gunicorn_reads_all_of_it(pieces):
    incoming, received = taken(CHUNKED + b"".join(pieces)), Received()
    received.feed(incoming)
    try:
        Request(CONFIG, received, ("127.0.0.1", 1)).body.read()
    except (ParseException, NoMoreData):
        assert not incoming.complete
    else:
        assert incoming.whole


def test_chunks_are_not_waited_for_without_end():
    """However little they hold, they take memory."""
    incoming, chunk = taken(CHUNKED, most=10_000), b"1;" + b"x" * 4000 + b"\r\nx\r\n"
    sent = 0
    while not incoming.whole:
        incoming.add(chunk)
        sent += len(chunk)
        assert sent < 1 << 21

    assert not incoming.complete
    assert incoming.too_long > 10_000


@pytest.mark.parametrize("size", [1, 2, 30])
def test_small_chunks_are_no_reason_to_refuse_a_body(size):
    chunk = b"%x\r\n%s\r\n" % (size, b"x" * size)
    incoming = taken(CHUNKED, most=60_000)
    for _ in range(60_000 // size):
        incoming.add(chunk)
        assert not incoming.whole
    incoming.add(b"0\r\n\r\n")

    assert incoming.complete
    assert not incoming.too_long


@pytest.mark.parametrize(
    "nonsense",
    [
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.1\r\nHost: x\n",
        b"\n",
        b"\r\r",
        b"\r\n\r",
        b"\x16",  # TLS
        b"SSH-2.0-Op",
        b"g",
        b"GE ",
        b"ALTOGETHERTOOLONGAMETHOD"[:21],
        b"GET  ",
        b"GET /\r",
        b"GET /\xff",
        b"GET / HTTP/2.0\r\n",
        b"GET / HTTP/1.1 ",
        b"GET / HTTP/1.1\r\r",
    ],
)
def test_what_is_no_http_is_seen_with_its_last_byte(nonsense):
    incoming = Incoming(100)
    for place in range(len(nonsense)):
        assert not incoming.no_http
        incoming.add(nonsense[place : place + 1])

    assert incoming.no_http
    assert incoming.whole
    assert not incoming.complete
    incoming.add(b"Host: x\r\n\r\n")
    assert incoming.no_http
    assert taken(nonsense).no_http
    assert taken(nonsense + b"Content-Length: 5\r\n\r\n").no_http


@given(st.binary(max_size=40), st.sampled_from([b"", b"GET", b"GET /", b"GET / HTTP/1.1\r\n"]))
def test_what_gunicorn_takes_is_http(data, beginning):
    request_bytes = beginning + data + b"\r\n\r\n"
    try:
        Request(CONFIG, IterUnreader([request_bytes]), ("127.0.0.1", 1))
    except (ParseException, NoMoreData):
        return
    assert not taken(request_bytes).no_http
    assert not read_head(request_bytes[: request_bytes.index(b"\r\n\r\n", 2) + 2]).hopeless


@pytest.mark.parametrize(
    ("request_bytes", "least"),
    [
        (HEAD + b"Content-Length: 100\r\n\r\n", 0),
        (HEAD + b"Content-Length: 101\r\n\r\n", 101),
        (HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", 10**18 - 1),
        (CHUNKED + b"64\r\n", 0),
        (CHUNKED + b"65\r\n", 101),
        (CHUNKED + b"3\r\nabc\r\n62\r\n", 101),
        (CHUNKED + b"32\r\n" + b"x" * 50 + b"\r\n34\r\n" + b"x" * 52 + b"\r\n0\r\n\r\n", 102),
        (CHUNKED + b"f" * 4000 + b"\r\n", 10**18 - 1),
        (CHUNKED + b"zz\r\n", 0),
    ],
)
def test_what_is_too_long_says_how_long_it_is_at_least(request_bytes, least):
    assert taken(request_bytes).too_long == least


@pytest.mark.parametrize("request_bytes", [WHOLE[1], LENGTH + b"12", CHUNKED + b"64\r\nabc"])
def test_the_parser_gets_what_has_come_and_then_the_end(request_bytes):
    received = Received()
    received.feed(taken(request_bytes))

    assert received.complete == (request_bytes in WHOLE)
    assert received.read(10_000) == request_bytes
    assert received.read() == b""
    assert received.left_over() == b""


@given(st.binary(max_size=300), st.sampled_from([b"", LENGTH, CHUNKED]))
def test_nothing_makes_it_stumble(data, head):
    incoming = taken(head, data)

    assert incoming.whole in (True, False)
    incoming.invited()


@pytest.mark.parametrize("request_bytes", [WHOLE[1], WHOLE[3], WHOLE[4]])
@pytest.mark.parametrize("times", [1, 2])
def test_who_waits_to_be_invited_is_told_once(request_bytes, times):
    head, end, body = request_bytes.partition(b"\r\n\r\n")
    incoming = taken(head + times * b"\r\nExpect: 100-Continue" + end)

    assert incoming.invited()
    assert not incoming.invited()
    incoming.add(body)
    assert incoming.complete
    assert incoming.data == request_bytes


@pytest.mark.parametrize(
    "request_bytes",
    [
        LENGTH,
        HEAD + b"Expect: 100-continue\r\n",
        HEAD + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n1",
        HEAD + b"Expect: 100-continue\r\nContent-Length: 101\r\n\r\n",
        HEAD + b"Expect: 101-continue\r\nContent-Length: 5\r\n\r\n",
        OLD + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",  # RFC 9110, 10.1.1
    ],
)
def test_nobody_else_is_invited(request_bytes):
    assert not taken(request_bytes).invited()
