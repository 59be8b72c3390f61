"""gunicorn with our worker and a trivial app: what awkward clients can and cannot do."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

APP = """
from semseg.serving import http_worker

http_worker.STALL = 1

def app(environ, start_response):
    if environ["PATH_INFO"] == "/body":
        environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""

THREADS = 4
POST = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "trivial.py").write_text(APP)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "critical"),
        *("--worker-class", "semseg.serving.http_worker.HttpWorker", "--threads", str(THREADS)),
        *("--bind", f"127.0.0.1:{port}", "--keep-alive", "60", "trivial:app"),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen(command, cwd=folder, env=environment)
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    yield port
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


def ask(port: int, request: bytes, seconds: float = 5) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=seconds)) as connection:
        connection.sendall(request)
        return connection.recv(65536)


def is_served(port: int) -> bool:
    return ask(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2).startswith(b"HTTP/1.1 200 OK")


def test_silent_connections_cost_no_thread(port):
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * THREADS)]
    try:
        started = time.monotonic()
        assert is_served(port)
        assert time.monotonic() - started < 2
        silent[0].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")  # and may speak late
        assert silent[0].recv(65536).startswith(b"HTTP/1.1 200 OK")
    finally:
        for connection in silent:
            connection.close()


def test_clients_that_do_not_close_their_side_do_not_hold_up_the_others(port):
    request = b"GET / HTTP/1.0\r\n\r\n"
    lingering = []
    for _ in range(3 * THREADS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(request)
        lingering.append(connection)
    try:
        started = time.monotonic()
        assert is_served(port)
        assert time.monotonic() - started < 1
    finally:
        for connection in lingering:
            connection.close()


def test_bodies_that_nobody_wants_do_not_hold_up_the_others(port):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    sending = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * THREADS)]
    try:
        for connection in sending:
            connection.sendall(head + b"x" * 1000)
        started = time.monotonic()
        assert is_served(port)
        assert time.monotonic() - started < 1
    finally:
        for connection in sending:
            connection.close()


def test_an_answer_is_heard_although_its_request_is_still_being_sent(port):
    size = 3_000_000
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size

    assert b"200 OK" in ask(port, head + b"x" * size)


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


@pytest.mark.parametrize("half", [b"GET / HT", POST + b"ab"])
def test_clients_that_stop_in_the_middle_are_let_go(port, half):
    stalled = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(THREADS)]
    for connection in stalled:
        connection.sendall(half)
    for connection in stalled:
        assert connection.recv(65536) == b""
        connection.close()
    assert is_served(port)
