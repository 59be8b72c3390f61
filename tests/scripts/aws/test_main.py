import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.aws.account import CONTAINER


def in_a_process(
    project: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """`python -m scripts.aws` without anything of AWS's in the environment."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables}
    return subprocess.run(
        [sys.executable, "-m", "scripts.aws", *arguments],
        cwd=project, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_a_dry_run_needs_no_credentials_no_region_and_no_network(project):
    ended = in_a_process(project, "delete", "horses", "--dry-run")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert list(json.loads(ended.stdout)) == [
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DeleteModel",
    ]


def test_no_credentials(project):
    variables = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    ended = in_a_process(project, "delete", "horses", **variables)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("AWS credentials are missing: name a profile with --profile")
    assert ended.stderr.count("\n") == 1


def test_no_region(project):
    ended = in_a_process(
        project, "delete", "horses", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b"
    )

    assert ended.returncode == 2
    assert ended.stderr == (
        "The AWS region is missing: name it with --region or AWS_DEFAULT_REGION.\n"
    )


def test_no_connection(nowhere, aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("scripts.aws.services._ATTEMPTS", 1)
    outcome = aws("delete", "horses", "--region", "us-east-1")

    assert outcome.code == 2
    assert outcome.err.startswith("AWS cannot be reached: ")


def test_no_such_profile(nowhere, aws):
    outcome = aws("delete", "horses", "--profile", "work", "--region", "us-east-1")

    assert outcome.code == 2
    assert "work" in outcome.err
    assert "Traceback" not in outcome.err


def test_every_subcommand_has_help(aws):
    listed = re.findall(r"(?m)^    (\w+)", aws("--help").out)
    assert {"push", "train", "follow", "tune", "deploy", "invoke", "transform", "delete"} <= {
        *listed
    }
    for subcommand in listed:
        outcome = aws(subcommand, "--help")
        assert outcome.code == 0
        assert "--dry-run" in outcome.out


def commands_of(readme: str) -> list[list[str]]:
    """The README's calls, with the values of the variables that it sets before them."""
    section = readme.partition("\n## On AWS\n")[2].partition("\n## ")[0]
    code = "\n".join(re.findall(r"(?s)```sh\n(.*?)```", section)).replace("\\\n", " ")
    values = dict(re.findall(r"(?m)^(\w+)=(\S+)$", code))
    text = code
    for _ in values:  # a value may name another variable
        for name, value in values.items():
            text = text.replace(f"${name}", value)
    lines = [shlex.split(line) for line in text.splitlines()]
    return [line[3:] for line in lines if line[1:3] == ["-m", "scripts.aws"]]


def test_the_commands_of_the_readme(nowhere, aws, project, tmp_path, monkeypatch):
    commands = commands_of((project / "README.md").read_text())
    subcommands = [command[0] for command in commands]
    assert {"push", "train", "follow", "tune", "deploy", "invoke", "transform", "delete"} <= {
        *subcommands
    }
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.json").write_text('{"num_classes": "2", "num_training_samples": "277"}')
    (tmp_path / "photo.jpg").write_bytes(b"a photo")
    for command in commands:
        outcome = aws(*command, "--dry-run")
        assert outcome.code == 0, (command, outcome.err)
        assert outcome.document


@pytest.mark.parametrize("subcommand", ["train", "tune"])
def test_hyperparameters_are_checked_by_the_packages_own_rules(
    nowhere, aws, monkeypatch, subcommand
):
    from semseg.sagemaker.errors import CustomerError
    from semseg.sagemaker.hyperparameters import Configuration

    def refuse(default: object, provided: object) -> None:
        raise CustomerError("hyperparameters.json: 1 problem (x)\nx: refused by the package")

    monkeypatch.setattr(Configuration, "merge", refuse)
    places = ["--data", "s3://bucket/horses", "--output", "s3://bucket/jobs"]
    outcome = aws(subcommand, "horses", *CONTAINER, *places, "--dry-run")

    assert outcome.code == 2
    assert outcome.err == "x: refused by the package\n"
