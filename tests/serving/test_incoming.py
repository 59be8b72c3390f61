import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.serving.incoming import Incoming, Received

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
LENGTH = HEAD + b"Content-Length: 5\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE = [
    b"GET / HTTP/1.1\r\n\r\n",
    LENGTH + b"12345",
    HEAD + b"content-length :\t5\r\n\r\n12345",
    CHUNKED + b"5\r\n12345\r\n0\r\n\r\n",
    CHUNKED + b"A;x=y\r\n0123456789\r\n1\r\n\r\r\n0\r\nTrailer: 1\r\n\r\n",
    CHUNKED + b"0\r\n\r\n",
]


def taken(*pieces: bytes, most: int = 100) -> Incoming:
    incoming = Incoming(most)
    for piece in pieces:
        incoming.add(piece)
    return incoming


@pytest.mark.parametrize("request_bytes", WHOLE)
def test_a_request_is_whole_with_its_last_byte(request_bytes):
    incoming = Incoming(100)
    for place in range(len(request_bytes)):
        assert not incoming.whole
        incoming.add(request_bytes[place : place + 1])
    assert incoming.whole
    assert incoming.data == request_bytes


@given(st.sampled_from(WHOLE), st.lists(st.integers(1, 30)))
def test_however_it_is_cut(request_bytes, sizes):
    incoming = Incoming(100)
    rest = request_bytes
    for size in sizes:
        incoming.add(rest[:size])
        rest = rest[size:]
        assert incoming.whole == (not rest)
        assert incoming.complete == incoming.whole
    incoming.add(rest + b"GET /next")
    assert incoming.whole


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
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"65\r\n",
        CHUNKED + b"3\r\nabcdef",
        CHUNKED + b"3;" + b"x" * 5000,
        b"GET / HTTP/1.1\r\nX: " + b"x" * 1_100_000,
    ],
)
def test_what_nobody_will_read_on_is_not_waited_for(hopeless):
    assert taken(hopeless).whole
    assert not taken(hopeless).complete


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


def test_who_waits_to_be_invited_is_told_once():
    expecting = HEAD + b"Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n"
    incoming = taken(expecting)

    assert incoming.invited()
    assert not incoming.invited()
    incoming.add(b"12345")
    assert incoming.whole
    assert incoming.data == HEAD + b"Content-Length: 5\r\n\r\n12345"


@pytest.mark.parametrize(
    "request_bytes",
    [
        LENGTH,
        HEAD + b"Expect: 100-continue\r\n",
        HEAD + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n1",
        HEAD + b"Expect: 100-continue\r\nContent-Length: 101\r\n\r\n",
    ],
)
def test_nobody_else_is_invited(request_bytes):
    assert not taken(request_bytes).invited()
