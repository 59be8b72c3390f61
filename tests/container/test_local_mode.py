"""The SageMaker SDK's local mode runs the image; it lives in an environment of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.training_job import TrainingJob


@pytest.mark.slow
def test_the_notebook_in_local_mode(cpu_image: str, project: Path, tmp_path: Path) -> None:
    python = project / ".venv-clients" / "bin" / "python"
    if not python.exists():
        pytest.skip("needs .venv-clients, which `make test-image` makes")
    if shutil.which("docker-compose") is None and not _has_compose():
        pytest.skip("needs Docker Compose, by which the SDK starts containers")
    job = TrainingJob(tmp_path / "ml")
    clients = "tests/clients"

    result = subprocess.run(
        [python, "-m", "pytest", "-q", "-c", f"{clients}/pytest.ini", "--confcutdir", clients,
         "-p", "no:cacheprovider", f"{clients}/test_local_mode.py"],
        cwd=project,
        env={
            **os.environ,
            "SEMSEG_TEST_IMAGE": cpu_image,
            "SEMSEG_TEST_DATA": str(job.base / "input" / "data"),
            "PYTHONPATH": "",
        },
        capture_output=True,
        text=True,
        timeout=500,
    )  # fmt: skip

    assert result.returncode == 0, result.stdout + result.stderr
    assert "4 passed" in result.stdout
    job.remove()


def _has_compose() -> bool:
    return subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
