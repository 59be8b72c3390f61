"""Clients that hang up, stop in the middle, or do not read, and the others beside them."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from semseg.serving.pace import STALL
from tests.contract.server import Server
from tests.contract.test_serve_metrics import figures

POST = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"


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
    deadline = time.monotonic() + 60
    while (waiting := figures(server)["semseg_queue_length",]) != images:
        assert time.monotonic() < deadline, f"{waiting} images wait, not {images}"
        time.sleep(0.02)


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
