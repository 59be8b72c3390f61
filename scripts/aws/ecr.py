"""`push`: an image of this machine to ECR, by way of the docker command."""

import argparse
import base64
import shutil
import subprocess
from typing import Any

from botocore.exceptions import ClientError

from scripts.aws import options
from scripts.aws.locations import EcrImage, ecr_destination
from scripts.aws.problems import Failed, Refused, is_absent
from scripts.aws.request import Request, check, show
from scripts.aws.services import Aws


def add_push(commands: Any) -> None:
    """The subcommand."""
    parser = commands.add_parser("push", help="bring an image of this machine to ECR")
    parser.set_defaults(run=push)
    parser.add_argument("image", help="the image of this machine, such as semseg:cpu")
    parser.add_argument(
        "destination",
        type=ecr_destination,
        help="such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/semantic-segmentation:cpu",
    )
    parser.add_argument(
        "--tag",
        action="append",
        default=[],
        type=options.pair,
        metavar="KEY=VALUE",
        help="on a new repository",
    )
    options.add_connection(parser)


def push(arguments: argparse.Namespace) -> None:
    """Makes the repository if it is missing, logs docker in, and pushes."""
    destination = arguments.destination
    create = _create_repository(arguments)
    check([create])
    log_in = _docker("login", "--username", "AWS", "--password-stdin", destination.registry)
    bring = [
        _docker("tag", arguments.image, str(destination)),
        _docker("push", str(destination)),
    ]
    if arguments.dry_run:
        return show([create], docker=[log_in, *bring])
    _refuse_without_image(arguments.image)
    aws = Aws(arguments.region or destination.region, arguments.profile)
    _make_repository(aws, destination, create)
    _run(log_in, _password(aws), quiet=True)
    for command in bring:
        _run(command)
    print(destination)


def _create_repository(arguments: argparse.Namespace) -> Request:
    destination = arguments.destination
    parameters: dict[str, Any] = {
        "registryId": destination.account,
        "repositoryName": destination.repository,
    }
    if tags := options.tags(arguments):
        parameters["tags"] = tags
    return Request("CreateRepository", parameters, service="ecr")


def _make_repository(aws: Aws, destination: EcrImage, create: Request) -> None:
    try:
        aws.client("ecr").describe_repositories(
            registryId=destination.account, repositoryNames=[destination.repository]
        )
    except ClientError as error:
        if not is_absent(error):
            raise
        create.send(aws)
        print(f"Made the repository {destination.repository}.", flush=True)


def _password(aws: Aws) -> str:
    """The registry's password for the user `AWS`, good for twelve hours."""
    [data] = aws.client("ecr").get_authorization_token()["authorizationData"]
    return base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]


def _docker(*arguments: str) -> list[str]:
    return ["docker", *arguments]


def _refuse_without_image(image: str) -> None:
    if shutil.which("docker") is None:
        raise Refused("The command docker is not on the PATH.")
    found = subprocess.run(_docker("image", "inspect", image), capture_output=True, text=True)
    if found.returncode != 0:
        said = found.stderr.strip().splitlines()
        raise Refused(f"docker has no image {image}: {said[-1] if said else 'build it first'}")


def _run(command: list[str], password: str | None = None, quiet: bool = False) -> None:
    """Runs docker; a password goes through stdin, where no other process sees it.

    What docker prints is shown as it comes, or only if it fails.
    """
    ended = subprocess.run(
        command,
        input=password,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
    )
    if ended.returncode != 0:
        said = " ".join((ended.stdout or "what it said stands above").split())
        raise Failed(f"docker {command[1]} ended with exit code {ended.returncode}: {said}")
