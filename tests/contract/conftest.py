"""A model with random weights, and one server for all tests that only ask it something."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.contract.server import Server

CLASSES = 3


@pytest.fixture(scope="session")
def served_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with an FCN-ResNet-50 of random weights in its model folder."""
    import mxnet as mx

    from semseg.networks.artifact import BEST, write_configuration, write_parameters
    from semseg.networks.zoo import build

    tree = tmp_path_factory.mktemp("served")
    model = tree / "model"
    model.mkdir()
    network = build("fcn", "resnet-50", CLASSES)
    network.start_untrained(mx.cpu())
    network(mx.nd.zeros((1, 3, 32, 32)))  # the heads learn their shapes
    write_parameters(model / BEST, network)
    configuration = {"algorithm": "fcn", "backbone": "resnet-50", "num_classes": str(CLASSES)}
    write_configuration(model, configuration)
    return tree


@pytest.fixture(scope="session")
def server(served_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serves `served_tree`; ready."""
    log = tmp_path_factory.mktemp("server") / "log"
    with Server(served_tree, log) as server:
        yield server.wait_until(200)


@pytest.fixture(scope="session")
def image_file() -> Callable[..., bytes]:
    """Makes the bytes of an image file."""

    def make(height: int, width: int, format: str = "PNG") -> bytes:
        pixels = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
        body = BytesIO()
        Image.fromarray(pixels).save(body, format)
        return body.getvalue()

    return make
