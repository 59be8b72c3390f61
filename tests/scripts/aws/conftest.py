"""AWS played by moto's server on this machine, and `python -m scripts.aws` called against it."""

import json
import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.loaders import JSONFileLoader
from moto.server import ThreadedMotoServer

from scripts.aws.__main__ import main
from tests.scripts.aws.account import (
    CONTAINER,
    HYPERPARAMETERS,
    INDEX,
    MANIFEST,
    OBJECTS,
    REGION,
    TRUST,
    Outcome,
)


@pytest.fixture(scope="session", autouse=True)
def _descriptions_are_read_once() -> Iterator[None]:
    """botocore reads megabytes of JSON for every session, and here each call makes one."""
    read = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda self, path: read(path))
        yield


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Moto's server, on a port that was free."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, no region, no network: what a dry run has to be content with."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # where nobody listens


@pytest.fixture(scope="session")
def clients(moto_url: str) -> Callable[[str], Any]:
    """The tests' own clients, by service; making one takes longer than using it."""
    session = boto3.session.Session("test", "test", region_name=REGION)
    return cache(lambda service: session.client(service, endpoint_url=moto_url))


@pytest.fixture
def client(
    nowhere: None, moto_url: str, clients: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Any]:
    """An empty account; makes clients to look into it, or to put something there."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    requests.post(f"{moto_url}/moto-api/reset", timeout=60).raise_for_status()
    return clients


@pytest.fixture
def account(client: Callable[[str], Any]) -> Callable[[str], Any]:
    """An account in which all is there: role, image, bucket, data, an earlier model."""
    client("iam").create_role(
        RoleName="SageMaker", Path="/service-role/", AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    client("ecr").create_repository(repositoryName="semantic-segmentation")
    for tag, manifest in (("cpu", MANIFEST), ("index", INDEX)):
        client("ecr").put_image(
            repositoryName="semantic-segmentation", imageManifest=json.dumps(manifest), imageTag=tag
        )
    client("s3").create_bucket(Bucket="bucket")
    for key in OBJECTS:
        client("s3").put_object(Bucket="bucket", Key=key, Body=b"content")
    return client


@pytest.fixture
def aws(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Calls `python -m scripts.aws` with arguments, in this process."""

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ending:  # argparse's
            code = int(ending.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return call


@pytest.fixture
def hyperparameters(tmp_path: Path) -> Path:
    """A file for --hyperparameters."""
    file = tmp_path / "horses.json"
    file.write_text(json.dumps(HYPERPARAMETERS))
    return file


@pytest.fixture
def job(hyperparameters: Path) -> list[object]:
    """Options of a training or tuning job that has nothing wrong with it."""
    return [
        *CONTAINER,
        *("--hyperparameters", hyperparameters),
        *("--data", "s3://bucket/horses"),
        *("--output", "s3://bucket/jobs"),
        *("--pause", "0.01"),
    ]
