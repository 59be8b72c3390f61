"""`transform`: a mask for every image under a prefix in S3."""

import argparse
from contextlib import suppress
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.aws import options, preflight
from scripts.aws.locations import S3
from scripts.aws.log_tail import print_end
from scripts.aws.model import add_model, create_model, delete_model, tagged
from scripts.aws.problems import Failed
from scripts.aws.request import Request, check, show
from scripts.aws.services import Aws
from scripts.aws.waiting import left_running, wait

_MOST_MB_AT_ONCE = 100  # API_CreateTransformJob: MaxConcurrentTransforms * MaxPayloadInMB


def add_transform(commands: Any) -> None:
    """The subcommand."""
    parser = commands.add_parser("transform", help="make masks of all images under a prefix")
    parser.set_defaults(run=transform)
    parser.add_argument("name", help="of the new transform job")
    add_model(parser)
    group = parser.add_argument_group("data")
    group.add_argument("--input", type=S3.parse, required=True, metavar="S3", help="the images")
    group.add_argument("--output", type=S3.parse, required=True, metavar="S3", help="the masks")
    group.add_argument("--content-type", default="image/jpeg", help="(default: image/jpeg)")
    group.add_argument("--accept", default="image/png", help="(default: image/png)")
    group.add_argument(
        "--max-payload-mb", type=int, default=6, metavar="N", help="largest image (default: 6)"
    )
    group.add_argument(
        "--concurrent", type=int, default=1, metavar="N", help="images at once (default: 1)"
    )
    options.add_container(parser)
    options.add_waiting(parser, "the job has ended")
    options.add_connection(parser)


def transform(arguments: argparse.Namespace) -> None:
    """Makes a model, runs the job, and deletes the model once the job has ended."""
    requests = [create_model(arguments), _job(arguments)]
    check(requests, _complaints(arguments))
    if arguments.dry_run:
        return show(requests)
    aws = Aws.from_options(arguments)
    name = arguments.name
    preflight.refuse_unless_ready(
        aws,
        role=arguments.role,
        image=arguments.image,
        inputs=[arguments.model_data, arguments.input],
        outputs=[arguments.output],
        sentences=[
            *preflight.about_name(
                aws, "transform job", "describe_transform_job", TransformJobName=name
            ),
            *preflight.about_name(aws, "model", "describe_model", ModelName=name),
        ],
        serves=True,
    )
    model, job = requests
    model.send(aws)
    try:
        job.send(aws)
    except (BotoCoreError, ClientError):
        with suppress(BotoCoreError, ClientError):
            delete_model(name).send(aws)
        raise
    print(f"Started the transform job {name}.", flush=True)
    if not arguments.no_wait:
        _wait(aws, arguments)


def _job(arguments: argparse.Namespace) -> Request:
    source = {"S3DataType": "S3Prefix", "S3Uri": str(arguments.input)}
    parameters = {
        "TransformJobName": arguments.name,
        "ModelName": arguments.name,
        "BatchStrategy": "SingleRecord",  # an image file cannot be joined with another
        "MaxConcurrentTransforms": arguments.concurrent,
        "MaxPayloadInMB": arguments.max_payload_mb,
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": arguments.content_type,
            "SplitType": "None",
            "CompressionType": "None",
        },
        "TransformOutput": {
            "S3OutputPath": str(arguments.output),
            "Accept": arguments.accept,
            "AssembleWith": "None",
        },
        "TransformResources": {
            "InstanceType": arguments.instance_type,
            "InstanceCount": arguments.instance_count,
        },
    }
    return Request("CreateTransformJob", parameters | tagged(arguments))


def _complaints(arguments: argparse.Namespace) -> list[str]:
    sentences = options.complaints(arguments)
    if arguments.concurrent * arguments.max_payload_mb > _MOST_MB_AT_ONCE:
        sentences.append(
            f"--concurrent ({arguments.concurrent}) times --max-payload-mb "
            f"({arguments.max_payload_mb}) is more than the {_MOST_MB_AT_ONCE} that AWS allows."
        )
    return sentences


def _wait(aws: Aws, arguments: argparse.Namespace) -> None:
    name = arguments.name
    sagemaker = aws.client("sagemaker", patient=True)
    describe = partial(sagemaker.describe_transform_job, TransformJobName=name)
    with left_running(
        f"transform job {name} goes on at AWS; `delete {name}` removes its model then."
    ):
        unfinished = ("InProgress", "Stopping")
        job = wait(describe, "TransformJobStatus", unfinished, arguments.pause)
        delete_model(name).send(aws)
        if job["TransformJobStatus"] != "Completed":
            print_end(aws.client("logs"), "/aws/sagemaker/TransformJobs", f"{name}/")
            reason = job.get("FailureReason") or f"it is {job['TransformJobStatus']}"
            raise Failed(f"The transform job {name} did not complete: {reason}")
    print(f"The transform job {name} is complete.")
    print(f"Masks: {arguments.output} (a file for each image: its name and .out)")
