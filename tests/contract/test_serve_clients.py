"""AWS's real clients against a real server; they run in an environment of their own."""

import os
import subprocess

import pytest


def test_boto3_and_the_sagemaker_sdk(server, project):
    python = project / ".venv-clients" / "bin" / "python"
    if not python.exists():
        pytest.skip("needs .venv-clients, which `make test` makes")
    clients = "tests/clients"

    result = subprocess.run(
        [python, "-m", "pytest", "-q", "-c", f"{clients}/pytest.ini", "--confcutdir", clients,
         "-p", "no:cacheprovider", clients],
        cwd=project,
        env={**os.environ, "SEMSEG_TEST_URL": server.url, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )  # fmt: skip

    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout
    assert "skipped" not in result.stdout
