"""The image's HEALTHCHECK, without an image: whom it asks, and what it makes of the answer."""

import runpy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

PYTHON = b"/opt/semseg/bin/python\0"


@pytest.fixture
def healthcheck(project: Path) -> dict[str, Any]:
    """The names of the script, which has not run."""
    return runpy.run_path(str(project / "docker" / "healthcheck"))


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that answers every request so; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/ping" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("command", "serves"),
    [
        (PYTHON + b"/opt/semseg/bin/serve\0", True),
        (PYTHON + b"-m\0gunicorn\0--config\0python:semseg.serving.gunicorn_config\0", True),
        (b"/sbin/docker-init\0--\0entrypoint\0serve\0", True),
        (b"/sbin/docker-init\0--\0entrypoint\0train\0", False),
        (PYTHON + b"/opt/semseg/bin/train\0", False),
        (PYTHON + b"/opt/semseg/bin/semseg\0check\0/data\0--num-classes\x0021\0", False),
        (b"sleep\0infinity\0", False),
    ],
)
def test_who_is_asked(healthcheck, command: bytes, serves: bool) -> None:
    assert healthcheck["serves"](command) is serves


def test_a_server_that_is_ready_is_healthy(healthcheck, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # where nobody listens
    with answering(200) as port:
        assert healthcheck["problem"](port) is None


def test_a_server_that_is_not_ready(healthcheck) -> None:
    with answering(503) as port:
        assert healthcheck["problem"](port) == "/ping: 503 Service Unavailable"


def test_a_server_that_does_not_answer(healthcheck) -> None:
    healthcheck["problem"].__globals__["PING_SECONDS"] = 0.1
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        assert "refused" in healthcheck["problem"](port)
        silent.listen()
        assert "timed out" in healthcheck["problem"](port)
