"""One server and one training job for all tests that only ask what came of them."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.contract.server import Server
from tests.contract.training_job import EPOCHS, Run, TrainingJob

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


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Two epochs of FCN, with the clutter of an S3 prefix that matches too much."""
    job = TrainingJob(tmp_path_factory.mktemp("train") / "ml", epochs=str(EPOCHS))
    for part in ("train", "validation"):
        clutter = job.channel(part) / f"{part}_annotation"
        clutter.mkdir()
        (clutter / "0.png").write_bytes(b"what SageMaker copied twice")
    yield Run(job, job.run())
    job.remove()


@pytest.fixture(scope="session")
def same_again(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The same data, hyperparameters and seed on another host, with another number of threads."""
    base = tmp_path_factory.mktemp("again") / "ml"
    job = TrainingJob(base, host="algo-1-x7k2p", epochs=str(EPOCHS), _workers="1")
    yield Run(job, job.run())
    job.remove()


@pytest.fixture(scope="session")
def real_log(shared: Callable[[str], Path]) -> list[str]:
    """The lines of a job of the original."""
    return shared("logs/voc-fcn50-rmsprop-10-epochs.txt").read_text().splitlines()
