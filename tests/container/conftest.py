"""The image, run by a real Docker engine. `make image test-image` builds it and comes here.

The images' names come from the environment, `SEMSEG_IMAGES`, with the flavours for tags. Without
them there is nothing to run, and the tests are skipped.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.container import UID, give_to, mount, run
from tests.contract.training_job import TrainingJob

FLAVORS = ("cpu", "cu112")

_measured: list[str] = []


def _image(flavor: str) -> str:
    for name in os.environ.get("SEMSEG_IMAGES", "").split():
        if name.endswith(f":{flavor}"):
            return name
    pytest.skip(f"needs an image of the {flavor} flavour: make image test-image")


@pytest.fixture(scope="session", params=FLAVORS)
def image(request: pytest.FixtureRequest) -> str:
    """The image's name, for each flavour."""
    return _image(request.param)


@pytest.fixture(scope="session")
def cpu_image() -> str:
    """The CPU flavour's, where the flavour makes no difference."""
    return _image("cpu")


@pytest.fixture(scope="session")
def cuda_image() -> str:
    """The CUDA flavour's."""
    return _image("cu112")


@pytest.fixture(scope="session")
def measured() -> list[str]:
    """Lines for the end of the test run."""
    return _measured


@pytest.fixture
def job(tmp_path: Path) -> Iterator[TrainingJob]:
    """A job's folder that belongs to `UID`."""
    if os.getuid() != 0:
        pytest.skip("needs root, to make folders that belong to another user")
    job = TrainingJob(tmp_path / "ml")
    give_to(UID, job.base)
    yield job
    job.remove()


@pytest.fixture(scope="session")
def trained(cpu_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a job that a container has trained, as root: so SageMaker starts it."""
    job = TrainingJob(tmp_path_factory.mktemp("trained") / "ml", quantize="True")

    ended = run(cpu_image, "train", options=(mount(job.base),))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    yield job.base
    run(cpu_image, "rm", "-r", "/opt/ml/model", "/opt/ml/output", options=(mount(job.base),))
    job.remove()


@pytest.fixture(scope="session")
def compiler() -> str:
    found = shutil.which("gcc")
    if found is None:
        pytest.skip("needs gcc, to make a driver library of its own")
    return found


@pytest.fixture
def driver(compiler: str, tmp_path: Path):
    """Makes a driver library that finds one GPU of a compute capability."""

    def make(major: int, minor: int) -> Path:
        library = tmp_path / "libcuda.so.1"
        source = Path(__file__).with_name("driver.c")
        subprocess.run(
            [compiler, "-shared", "-fPIC", f"-DMAJOR={major}", f"-DMINOR={minor}",
             "-Wl,-soname,libcuda.so.1", "-o", library, source],
            check=True,
        )  # fmt: skip
        return library

    return make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _measured:
        terminalreporter.section("measured")
        for line in _measured:
            terminalreporter.write_line(line)
