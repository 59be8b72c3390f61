"""Options that several subcommands share, and the words they are written in."""

import argparse
from typing import Any

from scripts.aws import instances
from scripts.aws.locations import S3

_DAY = 24 * 60 * 60


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Which account, which region, and whether to call AWS at all."""
    group = parser.add_argument_group("connection")
    group.add_argument("--region", help="AWS region (default: the environment's)")
    group.add_argument("--profile", help="profile of ~/.aws/config (default: the environment's)")
    group.add_argument(
        "--dry-run", action="store_true", help="print the exact request and call nothing"
    )


def add_container(parser: argparse.ArgumentParser) -> None:
    """The image, what it may do, its machine, its network."""
    group = parser.add_argument_group("container")
    group.add_argument("--image", required=True, help="the image in ECR, as `push` printed it")
    group.add_argument("--role", required=True, help="ARN of the role that SageMaker assumes")
    group.add_argument(
        "--instance-type", required=True, help="such as ml.g4dn.xlarge, ml.c5.xlarge"
    )
    group.add_argument("--instance-count", type=int, default=1, metavar="N")
    group.add_argument(
        "--env",
        action="append",
        default=[],
        type=pair,
        metavar="NAME=VALUE",
        help="environment variable",
    )
    group.add_argument("--subnets", nargs="+", default=[], metavar="ID", help="of your VPC")
    group.add_argument("--security-groups", nargs="+", default=[], metavar="ID", help="of your VPC")
    group.add_argument(
        "--tag",
        action="append",
        default=[],
        type=pair,
        metavar="KEY=VALUE",
        help="on all that is created",
    )


def add_waiting(parser: argparse.ArgumentParser, what: str) -> None:
    """Whether to stay until the end, and how often to look."""
    group = parser.add_argument_group("waiting")
    group.add_argument("--no-wait", action="store_true", help=f"do not wait until {what}")
    add_pause(group)


def add_pause(parser: Any) -> None:
    """How often to look."""
    parser.add_argument("--pause", type=float, default=10, metavar="SECONDS", help="between looks")


def add_job(parser: argparse.ArgumentParser) -> None:
    """What one training job may take: space, time, spot capacity."""
    group = parser.add_argument_group("job")
    group.add_argument("--output", type=S3.parse, required=True, metavar="S3", help="for the model")
    group.add_argument("--volume-gb", type=int, default=50, metavar="N", help="disk (default: 50)")
    group.add_argument(
        "--max-seconds", type=int, default=_DAY, metavar="N", help="of training (default: a day)"
    )
    group.add_argument("--spot", action="store_true", help="spot capacity, for much less money")
    group.add_argument(
        "--max-wait-seconds",
        type=int,
        metavar="N",
        help="with --spot: training and waiting together (default: twice --max-seconds)",
    )
    group.add_argument(
        "--checkpoints", type=S3.parse, metavar="S3", help="where an interrupted job resumes from"
    )


def pair(text: str) -> tuple[str, str]:
    """Reads NAME=VALUE. Raises ArgumentTypeError."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def tags(arguments: argparse.Namespace) -> list[dict[str, str]]:
    """The tags as AWS wants them."""
    return [{"Key": key, "Value": value} for key, value in dict(arguments.tag).items()]


def vpc(arguments: argparse.Namespace) -> dict[str, list[str]] | None:
    """The VPC as SageMaker wants it, or None."""
    if not arguments.subnets or not arguments.security_groups:
        return None
    return {"SecurityGroupIds": arguments.security_groups, "Subnets": arguments.subnets}


def complaints(arguments: argparse.Namespace) -> list[str]:
    """What is wrong with the container's machine and network."""
    sentences = instances.complaints(arguments.instance_type)
    if bool(arguments.subnets) != bool(arguments.security_groups):
        sentences.append("A VPC takes both --subnets and --security-groups.")
    return sentences
