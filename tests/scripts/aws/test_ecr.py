import json
import os
from pathlib import Path
from typing import Any

import pytest

from scripts.aws.__main__ import main
from tests.scripts.aws.account import ACCOUNT, IMAGE, REGION

DESTINATION = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/semseg:gpu"
REGISTRY = DESTINATION.partition("/")[0]
DOCKER = """#!/bin/sh
# Notes how it was called, and fails where FAILING names the subcommand.
input=
[ "$1" = login ] && input=$(cat)
{ printf '%s\\n' "$*"; [ -z "$input" ] || printf 'stdin: %s\\n' "$input"; } >>"$DOCKER_CALLS"
[ "$1" != "$FAILING" ] || { echo "Error response from daemon: no $1 today" >&2; exit 1; }
[ "$1" != push ] || echo 'gpu: digest: sha256:1234 size: 2'
"""


class Docker:
    """A command `docker` that only notes how it is called."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._calls = folder / "calls"
        self._monkeypatch = monkeypatch
        program = folder / "docker"
        program.write_text(DOCKER)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("DOCKER_CALLS", str(self._calls))
        self.fails("")

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def fails(self, subcommand: str) -> None:
        self._monkeypatch.setenv("FAILING", subcommand)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    folder = tmp_path / "bin"
    folder.mkdir()
    return Docker(folder, monkeypatch)


def repositories(client: Any) -> list[str]:
    found = client("ecr").describe_repositories()["repositories"]
    return [each["repositoryName"] for each in found]


def test_a_dry_run_prints_request_and_commands(nowhere, docker, aws):
    document = aws("push", "semseg:gpu", DESTINATION, "--tag", "team=maps", "--dry-run").document

    assert document == {
        "CreateRepository": {
            "registryId": ACCOUNT,
            "repositoryName": "semseg",
            "tags": [{"Key": "team", "Value": "maps"}],
        },
        "docker": [
            ["docker", "login", "--username", "AWS", "--password-stdin", REGISTRY],
            ["docker", "tag", "semseg:gpu", DESTINATION],
            ["docker", "push", DESTINATION],
        ],
    }
    assert docker.calls == []


def test_the_repository_is_made_and_the_password_goes_through_stdin(client, docker, aws):
    outcome = aws("push", "semseg:gpu", DESTINATION)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == ["Made the repository semseg.", DESTINATION]
    assert repositories(client) == ["semseg"]
    assert docker.calls == [
        "image inspect semseg:gpu",
        f"login --username AWS --password-stdin {REGISTRY}",
        f"stdin: {ACCOUNT}-auth-token",
        f"tag semseg:gpu {DESTINATION}",
        f"push {DESTINATION}",
    ]


def test_a_repository_that_is_there_is_used(client, docker, aws):
    client("ecr").create_repository(repositoryName="semseg")
    outcome = aws("push", "semseg:gpu", DESTINATION)

    assert (outcome.code, outcome.out) == (0, f"{DESTINATION}\n")


def test_the_region_is_that_of_the_destination(client, docker, aws, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    outcome = aws("push", "semseg:gpu", DESTINATION)

    assert outcome.code == 0
    assert repositories(client) == ["semseg"]


def test_what_docker_prints_while_it_pushes_is_shown(client, docker, capfd):
    assert main(["push", "semseg:gpu", DESTINATION]) == 0

    assert "gpu: digest: sha256:1234" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("subcommand", "code", "sentence"),
    [
        ("image", 2, "docker has no image semseg:gpu: Error response from daemon: no image today"),
        ("login", 1, "docker login ended with exit code 1: Error response from daemon: no login"),
        ("push", 1, "docker push ended with exit code 1: what it said stands above"),
    ],
)
def test_docker_fails(client, docker, aws, subcommand, code, sentence):
    docker.fails(subcommand)
    outcome = aws("push", "semseg:gpu", DESTINATION)

    assert outcome.code == code
    assert sentence in outcome.err
    assert docker.calls[-1].startswith(("stdin", subcommand))


def test_no_repository_is_made_for_an_image_that_is_not_there(client, docker, aws):
    docker.fails("image")
    aws("push", "semseg:gpu", DESTINATION)

    assert repositories(client) == []


def test_no_docker(client, aws, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = aws("push", "semseg:gpu", DESTINATION)

    assert (outcome.code, outcome.err) == (2, "The command docker is not on the PATH.\n")


@pytest.mark.parametrize("destination", ["semseg:gpu", f"{REGISTRY}/s@sha256:{'0' * 64}", "a/b"])
def test_a_destination_that_is_not_in_ecr(nowhere, docker, aws, destination):
    outcome = aws("push", "semseg:gpu", destination)

    assert outcome.code == 2
    assert f"{destination!r} is no place in ECR, such as" in outcome.err


def test_a_pushed_image_is_what_training_accepts(account, docker, aws, job):
    assert IMAGE.startswith(REGISTRY)
    assert json.loads(aws("train", "horses-1", *job, "--dry-run").out)
