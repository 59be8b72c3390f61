"""What gunicorn with our worker does not take, and that this costs nobody else anything."""

import select
import socket
import time
from contextlib import closing

import pytest

from tests.serving.trivial_server import (
    PROMPT,
    ask,
    assert_promptly_served,
    crowd,
    hear,
    hear_all,
    is_served,
    told,
)

from .conftest import wait_for


def assert_refused(answer: bytes, status: bytes) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"Content-Type: text/plain" in head
    assert b"Connection: close" in head
    assert body == b"The request is not well-formed HTTP.\n"


def test_bodies_that_nobody_wants_do_not_hold_up_the_others(port):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    with crowd(port, head + b"x" * 1000):
        assert_promptly_served(port)


@pytest.mark.parametrize(
    "hopeless",
    [
        b"Content-Length: 99999999\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3;" + b"x" * 5000,
        b"Transfer-Encoding: identity, chunked\r\n\r\nff\r\n",
    ],
)
def test_no_thread_waits_for_the_rest_of_what_will_be_refused(port, hopeless):
    with crowd(port, b"POST /body HTTP/1.1\r\nHost: x\r\n" + hopeless) as connections:
        waiting = connections
        deadline = time.monotonic() + 10
        while waiting:
            assert time.monotonic() < deadline
            for connection in waiting:
                connection.sendall(b"1")  # never a pause
            answered, _, _ = select.select(waiting, [], [], 0.2)
            assert all(b"\r\nConnection: close\r\n" in each.recv(65536) for each in answered)
            waiting = [connection for connection in waiting if connection not in answered]


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"Content-Length: 99999999\r\n\r\n", b"99999999"),
        (b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", b"99999999"),
        (b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", b"268435455"),
    ],
)
def test_the_application_is_told_at_once_how_long_a_body_is_that_it_will_not_get(
    port, head, length
):
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(b"POST /length HTTP/1.1\r\nHost: x\r\n" + head)
        answer = hear(connection, b"\r\n\r\n" + length)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_more_unfinished_requests_than_there_is_memory_for_are_refused(port):
    head = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
    with crowd(port, head, b"x" * 700_000) as connections:

        def answered() -> list[socket.socket]:
            return select.select(connections, [], [], 0)[0]

        wait_for(lambda: len(answered()) >= 6)
        answers = [connection.recv(65536) for connection in answered()]
        assert len(answers) < len(connections)
        assert all(answer.startswith(b"HTTP/1.1 503 ") for answer in answers)
        assert all(b"\r\nRetry-After: 5\r\n" in answer for answer in answers)
        assert [status for status, _ in told(port)].count(503) >= len(answers)
        assert is_served(port)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: secret\r\n\r\n", b"400 Bad Request"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"414 URI Too Long"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n", b"431 "),
        (b"GET / HTTP/1.1\r\nExpect: miracles\r\n\r\n", b"417 Expectation Failed"),
    ],
)
def test_what_is_no_http_gets_one_plain_sentence(port, request_bytes, status):
    assert_refused(ask(port, request_bytes), status)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\nHost: x\n\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\nHost: x\n\n", b"400 Bad Request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x5a" * 32, b"400 Bad Request"),  # TLS
        (b"SSH-2.0-OpenSSH_9.2\r\n", b"400 Bad Request"),
        (b"GET /\r\n", b"400 Bad Request"),
        (b"GET /" + b"a" * 9000, b"414 URI Too Long"),
        (b"POST / HTTP/1.1\r\nExpect: miracles\r\nContent-Length: 5\r\n\r\n", b"417 "),
        (b"POST / HTTP/1.1\r\nno field\r\nContent-Length: 5\r\n\r\n", b"400 Bad Request"),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", b"400 Bad Request"),
    ],
)
def test_nobody_who_speaks_no_http_is_left_without_an_answer(port, request_bytes, status):
    """Although they may wait for one before they say more, and never say what would end a head."""
    assert_refused(ask(port, request_bytes), status)


@pytest.mark.parametrize(
    "body",
    [
        b"0x2\r\nab\r\n0\r\n\r\n",
        b"+2\r\nab\r\n0\r\n\r\n",
        b"0_2\r\nab\r\n0\r\n\r\n",
        b"2 \r\nab\r\n0\r\n\r\n",
        b"-0\r\n\r\n",
        b"2;\r\nab\r\n0\r\n\r\n",
        b"2;a b\r\nab\r\n0\r\n\r\n",
        b"2\r\nab\r\n0\r\nno field\r\n\r\n",
        b"2\r\nab\r\n0\r\nHost: y\r\n\r\n",
        b"2\r\nab\r\n0\r\nX: 1\r\n\r\n",
    ],
)
def test_a_connection_that_cannot_go_on_says_so_and_answers_once(port, body):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", port), timeout=PROMPT)) as connection:
        connection.sendall(head + body)
        answers = hear_all(connection)

    assert answers.count(b"HTTP/1.1 ") == 1
    assert answers.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answers


def test_chunks_that_hold_next_to_nothing_are_not_waited_for_without_end(port):
    head = b"POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    some = 100 * (b"1;" + b"x" * 4000 + b"\r\nx\r\n")
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(head)
        sent = 0
        while not select.select([connection], [], [], 0)[0]:
            connection.sendall(some)
            sent += len(some)
            assert sent < 40 << 20
        answer = hear_all(connection)

    assert b"\r\nConnection: close\r\n" in answer
    assert int(answer.rpartition(b"\r\n\r\n")[2]) > 6 << 20


def test_what_is_answered_without_the_application_is_told(port):
    before = told(port)
    sentence = ask(port, b"nonsense\r\n\r\n").partition(b"\r\n\r\n")[2]
    assert is_served(port)
    assert told(port) == [*before, [400, len(sentence)]]
