"""A trivial app for gunicorn with our worker, and how to talk to it."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

APP = """
import gc, json, resource
from semseg.serving import http_worker, incoming, pace

pace.STALL = 2
http_worker.HttpWorker.most_waiting = 3_500_000
TOLD = []
http_worker.HttpWorker.tell = lambda _worker, status, sent: TOLD.append((status, sent))
LARGE = b"b" * 19_998_993 + b"the end"

def app(environ, start_response):
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [("Content-Length", "20000000")])
        return [b"a" * 1000, LARGE]
    answer = b"ok"
    if environ["PATH_INFO"] == "/body":
        try:
            answer = b"%d" % len(environ["wsgi.input"].read())
        except OSError:
            answer = b"broken off"
    if environ["PATH_INFO"] == "/told":
        answer = json.dumps(TOLD).encode()
    if environ["PATH_INFO"] == "/held":
        received = [one for one in gc.get_objects() if type(one) is incoming.Received]
        answer = b"%d." % sum(len(one._rest) for one in received)
    if environ["PATH_INFO"] == "/files":  # no more from now on
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))
    if environ["PATH_INFO"] == "/length":
        answer = environ["CONTENT_LENGTH"].encode()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
"""

# Seconds: less than the others would be held up, and enough for a machine that is busy.
PROMPT = 5

THREADS = 4

CONNECTIONS = 60

POST = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


def ask(port: int, request: bytes, seconds: float = PROMPT) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=seconds)) as connection:
        connection.sendall(request)
        return connection.recv(65536)


def hear(connection: socket.socket, end: bytes) -> bytes:
    """All that comes until it ends so."""
    heard = bytearray()
    while not heard.endswith(end):
        heard += (piece := connection.recv(1 << 20))
        assert piece, heard[-1000:]
    return bytes(heard)


def hear_all(connection: socket.socket) -> bytes:
    """All that comes until the server ends it."""
    heard = bytearray()
    while piece := connection.recv(1 << 20):
        heard += piece
    return bytes(heard)


def is_served(port: int) -> bool:
    return ask(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200 OK")


def assert_promptly_served(port: int) -> None:
    started = time.monotonic()
    assert is_served(port)
    assert time.monotonic() - started < PROMPT


@contextmanager
def crowd(port: int, *words: bytes) -> Iterator[list[socket.socket]]:
    """Thrice as many clients as there are threads; each says `words` and waits."""
    connections = [
        socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(3 * THREADS)
    ]
    try:
        for connection in connections:
            for word in words:
                connection.sendall(word)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def told(port: int) -> list[list[int]]:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(b"GET /told HTTP/1.1\r\nHost: x\r\n\r\n")
        return json.loads(hear(connection, b"]").partition(b"\r\n\r\n")[2])
