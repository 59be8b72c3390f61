"""What every test may use, and what has to be so before anything imports MXNet."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from semseg.serving.heap import give_back_unused

# No deadlines: other work may share the machine. `--hypothesis-profile=thorough` looks longer.
settings.register_profile("usual", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=10_000)
settings.load_profile("usual")

# MXNet reads its thread count once, while it is imported.
os.environ.setdefault("OMP_NUM_THREADS", str(min(2, os.cpu_count() or 1)))
# Threads that spin while they wait crawl as soon as anything else runs on the machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# boto3 wants a region and keys even when the endpoint is on this machine.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
# Servers under test are on this machine: no proxy that a developer has is to be asked for them.
# Programs differ in which of the two they read; those that tests start inherit them.
for _name in ("NO_PROXY", "no_proxy"):
    os.environ[_name] = ",".join(filter(None, (os.environ.get(_name), "127.0.0.1,localhost")))

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module", autouse=True)
def small_again() -> Iterator[None]:
    """Gives back what a module's networks took: else the process grows to 8 GB by and by."""
    yield
    give_back_unused()


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Finds real images, weights and logs beside the project's folder: `data/camvid`.

    They are not the project's to publish: without the one it needs, a test is skipped.
    """

    def find(name: str) -> Path:
        path = PROJECT.parent / "shared" / name
        if not path.exists():
            pytest.skip(f"needs ../shared/{name}, which is not part of the project")
        return path

    return find
