"""`train` and `follow`: a training job, and what becomes of it."""

import argparse
from typing import Any

from scripts.aws import channels, hyperparameters, job_definition, options, preflight
from scripts.aws.channels import Channel
from scripts.aws.locations import S3
from scripts.aws.request import Request, check, show
from scripts.aws.services import Aws
from scripts.aws.training_progress import follow


def add_train(commands: Any) -> None:
    """The subcommand that starts a job."""
    parser = commands.add_parser("train", help="start a training job and follow it to its end")
    parser.set_defaults(run=train)
    parser.add_argument("name", help="of the new job")
    options.add_container(parser)
    hyperparameters.add_hyperparameters(parser)
    channels.add_channels(parser)
    options.add_job(parser)
    options.add_waiting(parser, "the job has ended")
    options.add_connection(parser)


def add_follow(commands: Any) -> None:
    """The subcommand that looks at a job which runs already."""
    parser = commands.add_parser("follow", help="show the log and the metrics of a training job")
    parser.set_defaults(run=follow_again)
    parser.add_argument("name", help="of the job")
    options.add_pause(parser)
    options.add_connection(parser)


def train(arguments: argparse.Namespace) -> None:
    """Checks the request, asks AWS whether all is there, starts the job and follows it."""
    inputs = channels.channels(arguments)
    checkpoints = arguments.checkpoints
    if arguments.spot and checkpoints is None:
        checkpoints = arguments.output.child(f"{arguments.name}/checkpoints")
    request = _request(arguments, inputs, checkpoints)
    check(
        [request],
        channels.complaints(arguments)
        + job_definition.complaints(arguments)
        + hyperparameters.complaints(request.parameters["HyperParameters"]),
    )
    if arguments.dry_run:
        return show([request])
    aws = Aws.from_options(arguments)
    preflight.refuse_unless_ready(
        aws,
        role=arguments.role,
        image=arguments.image,
        inputs=[channel.place for channel in inputs],
        outputs=[place for place in (arguments.output, checkpoints) if place],
        sentences=preflight.about_name(
            aws, "training job", "describe_training_job", TrainingJobName=arguments.name
        ),
    )
    request.send(aws)
    print(f"Started the training job {arguments.name}.", flush=True)
    if not arguments.no_wait:
        follow(aws, arguments.name, arguments.pause)


def follow_again(arguments: argparse.Namespace) -> None:
    """Follows a job from the beginning of its log."""
    if arguments.dry_run:
        parameters = {"TrainingJobName": arguments.name}
        return show([Request("DescribeTrainingJob", parameters)])
    follow(Aws.from_options(arguments), arguments.name, arguments.pause)


def _request(
    arguments: argparse.Namespace, inputs: list[Channel], checkpoints: S3 | None
) -> Request:
    parameters = {
        "TrainingJobName": arguments.name,
        "HyperParameters": hyperparameters.read(arguments),
        **job_definition.job_definition(arguments, inputs, checkpoints),
    }
    if tags := options.tags(arguments):
        parameters["Tags"] = tags
    return Request("CreateTrainingJob", parameters)
