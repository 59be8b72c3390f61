"""A model on SageMaker: image and artifact under one name, for endpoints and transforms."""

import argparse
from typing import Any

from scripts.aws import options
from scripts.aws.locations import artifact
from scripts.aws.request import Request


def add_model(parser: argparse.ArgumentParser) -> None:
    """The artifact; its container's options are those of every subcommand."""
    parser.add_argument(
        "--model-data", type=artifact, required=True, metavar="S3", help="the job's model.tar.gz"
    )


def create_model(arguments: argparse.Namespace) -> Request:
    """A model named as the endpoint or transform that is made for."""
    container: dict[str, Any] = {
        "Image": arguments.image,
        "ModelDataUrl": str(arguments.model_data),
    }
    if arguments.env:
        container["Environment"] = dict(arguments.env)
    parameters = {
        "ModelName": arguments.name,
        "PrimaryContainer": container,
        "ExecutionRoleArn": arguments.role,
    }
    if network := options.vpc(arguments):
        parameters["VpcConfig"] = network
    return Request("CreateModel", parameters | tagged(arguments))


def delete_model(name: str) -> Request:
    """The opposite; the artifact in S3 stays."""
    return Request("DeleteModel", {"ModelName": name})


def tagged(arguments: argparse.Namespace) -> dict[str, Any]:
    """The parameter of tags, if there are any."""
    tags = options.tags(arguments)
    return {"Tags": tags} if tags else {}
