"""A predictor that needs no MXNet, and the app around it; our worker around a trivial app."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from semseg.serving.app import create_app
from semseg.serving.engine import Engine
from semseg.serving.settings import Settings
from tests.serving.trivial_server import APP, CONNECTIONS, THREADS

CLASSES = 3


class FakePredictor:
    """Answers like the real one: the class is the red value modulo the number of classes."""

    def __init__(self) -> None:
        self.warm = False
        self.images: list[tuple[int, ...]] = []
        self.threads: set[int] = set()
        self.go_on = threading.Event()
        self.go_on.set()

    def warm_up(self) -> None:
        self.threads.add(threading.get_ident())
        self.warm = True

    def mask(self, image: np.ndarray) -> np.ndarray:
        assert image.dtype == np.uint8
        assert image.shape[2:] == (3,)
        self.go_on.wait(30)
        self.images.append(image.shape)
        self.threads.add(threading.get_ident())
        return image[..., 0] % CLASSES

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        mask = self.mask(image)
        return (np.arange(CLASSES)[:, None, None] == mask).astype(np.float32)


class Pixels(np.ndarray):
    """An array that can be told to be gone, by a weak reference."""


@pytest.fixture
def without_a_collector() -> Iterator[None]:
    """What only Python's garbage collector would find stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    patience = threading.Event()
    for _ in range(int(seconds * 100)):
        if condition():
            return
        patience.wait(0.01)
    raise AssertionError("waited in vain")


def fail(problem: Exception) -> None:
    raise AssertionError("the engine gave up") from problem


@pytest.fixture
def predictor() -> FakePredictor:
    return FakePredictor()


@pytest.fixture
def engine(predictor: FakePredictor) -> Iterator[Engine]:
    engine = Engine()
    engine.start(lambda: predictor, fail)
    wait_for(lambda: engine.ready)
    yield engine
    predictor.go_on.set()
    engine.stop(10)


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    settings = Settings(max_payload_bytes=100_000, max_pixels=10_000, workers=2)
    return create_app(engine, settings).test_client()


def image_file(height: int, width: int, format: str = "PNG") -> bytes:
    pixels = np.arange(height * width * 3, dtype=np.uint32).reshape(height, width, 3)
    body = BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(body, format)
    return body.getvalue()


@contextmanager
def trivial_server(folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The port of a server with our worker and the trivial app, and the server itself."""
    (folder / "trivial.py").write_text(APP)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "critical"),
        *("--worker-class", "semseg.serving.http_worker.HttpWorker", "--threads", str(THREADS)),
        *("--bind", f"127.0.0.1:{port}", "--keep-alive", "60"),
        *("--worker-connections", str(CONNECTIONS), "trivial:app"),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield port, server
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    with trivial_server(tmp_path_factory.mktemp("app")) as (port, _):
        yield port
