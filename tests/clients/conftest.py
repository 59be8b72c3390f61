"""The clients that AWS's customers have, pointed at a server on this machine.

They need a newer numpy than MXNet can live with, hence an environment of their own,
`.venv-clients`.
`tests/contract/test_serve_clients.py` starts them there and tells the server's URL, and
`tests/container/test_local_mode.py` the image's name; elsewhere there is nothing here to collect.
"""

import os
import socket
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

URL = os.environ.get("SEMSEG_TEST_URL")
IMAGE = os.environ.get("SEMSEG_TEST_IMAGE")

collect_ignore_glob = []
if URL is None:
    collect_ignore_glob += ["test_boto3.py", "test_sagemaker_sdk.py"]
if IMAGE is None:
    collect_ignore_glob += ["test_local_mode.py"]
if URL is not None or IMAGE is not None:
    os.environ.update(
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_EC2_METADATA_DISABLED="true",
        SAGEMAKER_SUPPRESS_V2_WARNING="1",
        # Before the SDK is imported: without this it calls home.
        SAGEMAKER_USER_CONFIG_OVERRIDE=str(Path(__file__).with_name("sagemaker-config.yaml")),
    )


@pytest.fixture(scope="session", autouse=True)
def _nobody_else_is_called() -> Iterator[None]:
    """Nothing leaves this machine, whatever the SDK would like to tell."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: tuple[str, int]) -> None:
        assert address[0] in ("127.0.0.1", "localhost", "::1"), f"{address} was called"
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


@pytest.fixture(scope="session")
def runtime():
    """boto3's `sagemaker-runtime` client; the server stands for all endpoints."""
    import boto3

    return boto3.client("sagemaker-runtime", endpoint_url=URL)


@pytest.fixture(scope="session")
def image() -> bytes:
    """A JPEG file of 41 x 57 pixels."""
    import numpy as np
    from PIL import Image

    pixels = np.random.default_rng(7).integers(0, 256, (41, 57, 3), np.uint8)
    body = BytesIO()
    Image.fromarray(pixels).save(body, "JPEG")
    return body.getvalue()
