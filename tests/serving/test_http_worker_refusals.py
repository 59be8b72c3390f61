"""What gunicorn with our worker does not take, and that this costs nobody else anything."""

import select
import socket
import time
from contextlib import closing

import pytest

from tests.serving.trivial_server import PROMPT, THREADS, ask, crowd, hear, is_served, told


def test_bodies_that_nobody_wants_do_not_hold_up_the_others(port):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    sending = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * THREADS)]
    try:
        for connection in sending:
            connection.sendall(head + b"x" * 1000)
        started = time.monotonic()
        assert is_served(port)
        assert time.monotonic() - started < PROMPT
    finally:
        for connection in sending:
            connection.close()


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
    with crowd(port, head, b"x" * 400_000) as connections:
        time.sleep(1)
        answered, _, _ = select.select(connections, [], [], 0)
        answers = [connection.recv(65536) for connection in answered]
        assert 6 <= len(answers) < len(connections)
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
    head, _, body = ask(port, request_bytes).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"Content-Type: text/plain" in head
    assert body == b"The request is not well-formed HTTP.\n"


def test_what_is_answered_without_the_application_is_told(port):
    before = told(port)
    sentence = ask(port, b"nonsense\r\n\r\n").partition(b"\r\n\r\n")[2]
    assert is_served(port)
    assert told(port) == [*before, [400, len(sentence)]]
