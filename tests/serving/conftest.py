"""A predictor that needs no MXNet, and the app around it."""

import threading
from collections.abc import Callable, Iterator
from io import BytesIO

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from semseg.serving.app import create_app
from semseg.serving.engine import Engine
from semseg.serving.settings import Settings

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
