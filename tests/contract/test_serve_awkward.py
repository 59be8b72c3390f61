"""Clients that hang up, stop in the middle, or do not read, and the others beside them."""

import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from semseg.serving.pace import STALL
from tests.contract.server import Server
from tests.contract.test_serve import POST, say
from tests.contract.test_serve_metrics import figures, figures_once


def request(body: bytes, accept: str = "image/png") -> bytes:
    return POST + b"Accept: %s\r\nContent-Length: %d\r\n\r\n" % (accept.encode(), len(body)) + body


@contextmanager
def crowd(server: Server, clients: int, said: bytes) -> Iterator[list[socket.socket]]:
    """As many clients that have all said the same."""
    with ExitStack() as stack:
        connections = []
        for _ in range(clients):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
            connections.append(stack.enter_context(connection))
            connection.sendall(said)
        yield connections


def counted(server: Server) -> dict[str, float]:
    """Answers to invocations by status, and forwards."""
    values = figures(server)
    statuses = {key[2]: value for key, value in values.items() if key[1:2] == ("invocations",)}
    return {**statuses, "forwards": values["semseg_stage_seconds_count", "forward"]}


def answered(server: Server) -> float:
    statuses = counted(server)
    return statuses.get("200", 0) + statuses.get("503", 0)


def wait_until_as_many_wait(server: Server, images: int) -> None:
    """Waits for a queue of this length. Whatever is at hand is not in it."""
    figures_once(server, ("semseg_queue_length",), images)


def test_clients_that_hang_up_while_they_wait_cost_no_forward(server, image_file):
    before = counted(server)
    with ThreadPoolExecutor(2) as pool:
        large = [pool.submit(server.post, image_file(800, 800)) for _ in range(2)]
        wait_until_as_many_wait(server, 1)  # so the other one is at hand
        with crowd(server, 5, request(image_file(40, 40))):
            # Both large ones come before them, and one has not begun: nobody's turn is near.
            wait_until_as_many_wait(server, 1 + 5)
        assert [one.result().status_code for one in large] == [200, 200]
    deadline = time.monotonic() + 60
    while counted(server).get("499", 0) < before.get("499", 0) + 5:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert counted(server)["forwards"] == before["forwards"] + 2


@pytest.mark.parametrize("half", [b"POST /inv", POST, POST + b"Content-Length: 9\r\n\r\nx"])
def test_half_requests_hold_up_nobody(server, image_file, half):
    with crowd(server, 60, half):
        for _ in range(3):
            assert server.ping(STALL / 2) == 200  # they are let go after STALL seconds only
        assert server.post(image_file(20, 20)).status_code == 200


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET /ping HTTP/1.1\nHost: x\n\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # TLS
        (POST + b"Expect: miracles\r\nContent-Length: 5\r\n\r\n", 417),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\n", 400),
    ],
)
def test_nobody_waits_in_vain_for_an_answer(server, said, status):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(said)
        assert connection.recv(65536).startswith(b"HTTP/1.1 %d " % status)


def test_a_chunked_body_that_breaks_off_is_told_so(server):
    answer = say(server.port, POST + b"Transfer-Encoding: chunked\r\n\r\nfff\r\nabc")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"\r\n\r\nThe request's body broke off or is not well-formed.\n")


def test_chunks_that_hold_next_to_nothing_are_refused_in_the_end(server):
    some = 100 * (b"1;" + b"x" * 4000 + b"\r\nx\r\n")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        while not select.select([connection], [], [], 0)[0]:
            connection.sendall(some)
            sent += len(some)
            assert sent < 40 << 20
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_clients_that_do_not_read_their_answers_hold_up_nobody(server, image_file):
    body = request(image_file(600, 600), "application/x-npy")  # 4 MB
    before = answered(server)
    with crowd(server, 4, body) as connections:
        deadline = time.monotonic() + 200
        while answered(server) < before + 4:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert server.post(image_file(20, 20)).status_code == 200
        assert connections[0].recv(100).startswith(b"HTTP/1.1 200 OK")


def test_ping_answers_beside_silent_and_stalled_clients(server, image_file):
    """Clients that connect and say nothing, or stop in the middle of a body."""
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
    try:
        for connection in connections[40:]:
            connection.sendall(POST + b"Content-Length: 100\r\n\r\nhalf")
        for _ in range(3):
            assert server.ping(STALL / 2) == 200  # those are let go after STALL seconds only
    finally:
        for connection in connections:
            connection.close()
    while server.post(image_file(8, 8)).status_code == 503:
        time.sleep(0.1)
