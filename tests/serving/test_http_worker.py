"""gunicorn with our worker and a trivial app: what awkward clients can and cannot do."""

import random
import select
import signal
import socket
import struct
import time
from contextlib import ExitStack, closing, suppress
from types import SimpleNamespace

import pytest

from semseg.serving.http_worker import HttpWorker
from tests.serving.trivial_server import (
    CONNECTIONS,
    POST,
    THREADS,
    ask,
    assert_promptly_served,
    crowd,
    hear,
    is_served,
)

from .conftest import trivial_server, wait_for


def test_silent_connections_cost_no_thread(port):
    with crowd(port) as silent:
        assert_promptly_served(port)
        silent[0].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")  # and may speak late
        assert silent[0].recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_silent_connections_make_way_where_there_are_too_many(port):
    with ExitStack() as stack:
        for number in range(2 * CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            stack.enter_context(connection)
            if number < CONNECTIONS // 2:  # some are silent after their first request
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                hear(connection, b"ok")
        assert all(is_served(port) for _ in range(3))


def test_clients_that_do_not_close_their_side_do_not_hold_up_the_others(port):
    with crowd(port, b"GET / HTTP/1.0\r\n\r\n"):
        assert_promptly_served(port)


@pytest.mark.parametrize("half", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n", POST + b"ab"])
def test_half_requests_cost_no_thread_and_may_be_ended_late(port, half):
    whole = (POST if half.startswith(b"POST") else b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") + b"ab"
    rest = (whole + b"cde" if half.startswith(b"POST") else whole[:-2])[len(half) :]
    with crowd(port, half) as connections:
        for _ in range(3):
            assert_promptly_served(port)
        connections[-1].sendall(rest)
        answer = hear(connections[-1], b"\r\n\r\n5" if half.startswith(b"POST") else b"ok")
        assert answer.startswith(b"HTTP/1.1 200 OK")


def test_clients_that_do_not_read_cost_no_thread_and_get_all_in_the_end(port):
    with crowd(port, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n") as connections:
        assert_promptly_served(port)
        body = hear(connections[0], b"the end").partition(b"\r\n\r\n")[2]
        assert body == b"a" * 1000 + b"b" * 19_998_993 + b"the end"
        connections[0].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")  # and it is kept alive
        hear(connections[0], b"\r\n\r\nok")


def test_a_body_may_come_slowly(port):
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n")
        for _ in range(4):
            time.sleep(0.7)
            connection.sendall(b"x" * 10_000)
        hear(connection, b"\r\n\r\n40000")


def test_an_answer_may_be_read_slowly(port):
    """Slower than the kernel asks for more, however large it has let its buffer grow."""
    with closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", port))
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        heard = 0
        for _ in range(12):
            heard += len(connection.recv(25_000))
            time.sleep(0.25)
        heard += len(hear(connection, b"the end"))
        assert heard > 20_000_000


def test_a_trickle_is_let_go(port):
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n")
        started = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - started < 10:
                connection.sendall(b"x")
                time.sleep(0.2)
        assert time.monotonic() - started < 9
    assert is_served(port)


def test_one_request_after_the_other_and_all_at_once(port):
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        for _ in range(3):
            connection.sendall(POST + b"12345")
            hear(connection, b"\r\n\r\n5")
        connection.sendall((POST + b"12345") * 3 + POST + b"12")
        answers = b""
        while answers.count(b"200 OK") < 3:
            answers += connection.recv(65536)
        connection.sendall(b"345")
        while answers.count(b"200 OK") < 4:
            answers += connection.recv(65536)


def test_a_client_that_asks_for_leave_gets_it_once(port):
    head = b"POST /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(head)
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"12345")
        assert hear(connection, b"\r\n\r\n5").startswith(b"HTTP/1.1 200 OK")


def test_chunks_may_come_slowly(port):
    head = b"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        for piece in (head[:30], head[30:], b"3\r\nab", b"c\r\n", b"0\r", b"\n\r\n"):
            connection.sendall(piece)
            time.sleep(0.1)
        hear(connection, b"\r\n\r\n3")


def test_an_answer_is_heard_although_its_request_is_still_being_sent(port):
    size = 3_000_000
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size

    assert b"200 OK" in ask(port, head + b"x" * size)


@pytest.mark.parametrize("half", [b"GET / HT", POST + b"ab"])
def test_clients_that_stop_in_the_middle_are_let_go(port, half):
    stalled = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(THREADS)]
    for connection in stalled:
        connection.sendall(half)
    for connection in stalled:
        assert connection.recv(65536) == b""
        connection.close()
    assert is_served(port)


def test_a_client_that_reads_nothing_is_let_go(port):
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(6)
        heard = 0
        with suppress(ConnectionError):
            while piece := connection.recv(1 << 20):
                heard += len(piece)
    assert heard < 20_000_000


def test_no_connection_is_forgotten_however_it_ends(port):
    """Or the worker would think that it has as many as it may, and let nobody in."""
    rng = random.Random(1)
    get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    large = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
    words = [b"", b"GET", get, get[:-2], large, POST, POST + b"12345", get * 3, b"\x00\xff\r\n\r\n"]
    reset = struct.pack("ii", 1, 0)
    for _ in range(10 * CONNECTIONS):
        with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
            word = rng.choice(words)
            if rng.random() < 0.3:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            with suppress(ConnectionError):
                connection.sendall(word)
                if word in (get, large) and rng.random() < 0.5:
                    connection.recv(65536)
                if rng.random() < 0.3:
                    connection.shutdown(socket.SHUT_WR)
    assert all(is_served(port) for _ in range(3))


def test_where_there_are_no_more_files_nobody_who_has_been_accepted_loses_an_answer(tmp_path):
    with trivial_server(tmp_path) as (port, server), ExitStack() as stack:

        def connect() -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            return stack.enter_context(closing(connection))

        first, second, last = connect(), connect(), connect()
        for half in (first, second):
            half.sendall(POST + b"ab")
        last.sendall(b"GET /files HTTP/1.1\r\nHost: x\r\n\r\n")
        hear(last, b"ok")
        for _ in range(3):
            connect()
        time.sleep(0.3)
        first.sendall(b"cde")
        assert hear(first, b"\r\n\r\n5").startswith(b"HTTP/1.1 200 OK")
        server.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        second.sendall(b"cde")
        assert hear(second, b"\r\n\r\n5").startswith(b"HTTP/1.1 200 OK")
        assert server.wait(20) == 0


def test_a_worker_that_stops_does_not_accept_for_ever():
    """Others keep coming, and those who were there have to be answered."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for _ in range(5):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        worker = HttpWorker.__new__(HttpWorker)
        worker.cfg, worker.sockets, accepted = SimpleNamespace(backlog=3), [listener], []
        worker._could_accept = lambda listener: accepted.append(listener.accept()[0]) or True

        worker._accept_those_who_wait()
        assert len(accepted) == 3
        worker._accept_those_who_wait()
        assert len(accepted) == 5
        for connection in accepted:
            connection.close()


def test_what_nobody_reads_is_not_kept_until_its_client_leaves(port):
    request = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(5):
            client = socket.create_connection(("127.0.0.1", port), timeout=10)
            stack.enter_context(client)
            client.sendall(request + b"x" * 1_000_000)
            hear(client, b"ok")

        def nothing_is_held() -> bool:
            return ask(port, b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n").endswith(b"\r\n\r\n0.")

        wait_for(nothing_is_held, seconds=1)  # a thread may not be through yet; clients have longer


def test_nobody_is_invited_who_does_not_know_what_that_is(port):
    """RFC 9110, 10.1.1: an expectation in HTTP/1.0 is ignored."""
    head = b"POST /body HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(head)
        assert not select.select([connection], [], [], 0.5)[0]
        connection.sendall(b"12345")
        assert hear(connection, b"\r\n\r\n5").startswith(b"HTTP/1.0 200 OK")
