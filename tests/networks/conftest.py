"""Networks with random weights, made once."""

from pathlib import Path
from typing import Any

import mxnet as mx
import pytest

from semseg.networks.artifact import Artifact
from semseg.networks.folding import fold_batch_normalization
from semseg.networks.graph import Graph, read_graph
from semseg.networks.zoo import build
from tests.networks.weights import computed, save, seasoned

CLASSES = 3
ALGORITHMS = ("fcn", "psp", "deeplab")


def untrained(algorithm: str, aux: bool = True) -> Any:
    network = build(algorithm, "resnet-50", CLASSES, aux)
    network.start_untrained(mx.cpu())
    return network


@pytest.fixture(scope="session")
def networks() -> dict[str, Any]:
    """One hybridized network per algorithm."""
    mx.random.seed(5)
    made = {algorithm: untrained(algorithm) for algorithm in ALGORITHMS}
    for network in made.values():
        network.hybridize(static_alloc=True)
        computed(network(mx.nd.zeros((1, 3, 32, 32))))
    return made


@pytest.fixture(scope="module", params=ALGORITHMS)
def seasoned_artifact(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A network that looks as if it were trained; one for each algorithm."""
    folder = tmp_path_factory.mktemp(request.param)
    return save(seasoned(request.param, CLASSES), request.param, folder)


@pytest.fixture(scope="module")
def graph(seasoned_artifact: Artifact) -> Graph:
    """Its graph in float32, batch normalization folded."""
    return fold_batch_normalization(read_graph(seasoned_artifact))


@pytest.fixture(scope="session")
def backbone_file(networks: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ResNet-50 as GluonCV saves it: structured names, classifier included, float16 values."""
    path = tmp_path_factory.mktemp("backbones") / "resnet50_v1s-made-by-test.params"
    arrays = {
        name: parameter.data().astype("float16")
        for name, parameter in networks["fcn"]._collect_params_with_prefix().items()
        if not name.startswith(("head.", "auxlayer."))
    }
    mx.nd.save(str(path), {**arrays, "fc.weight": mx.nd.zeros((1000, 2048))})
    return path


@pytest.fixture
def cut_file(backbone_file: Path, tmp_path: Path) -> Path:
    """The backbone file without its second half."""
    path = tmp_path / backbone_file.name
    data = backbone_file.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path
