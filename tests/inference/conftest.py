from typing import Any

import pytest

from semseg.networks.artifact import Artifact
from tests.networks.weights import save, seasoned

CLASSES = 5


@pytest.fixture(scope="session", params=["fcn", "psp", "deeplab"])
def trained(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Artifact]:
    """A network as GluonCV's classes would run it, and its artifact; one for each algorithm."""
    network = seasoned(request.param, CLASSES)
    return network, save(network, request.param, tmp_path_factory.mktemp(request.param))
