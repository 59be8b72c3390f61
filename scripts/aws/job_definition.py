"""The part of a request that training jobs and tuning jobs share."""

import argparse
from collections.abc import Sequence
from typing import Any

from scripts.aws import options
from scripts.aws.channels import Channel
from scripts.aws.locations import S3
from scripts.training_log import metric_definitions


def job_definition(
    arguments: argparse.Namespace, channels: Sequence[Channel], checkpoints: S3 | None
) -> dict[str, Any]:
    """Image, channels, machine, time, network: the keys have the same names in both requests."""
    definition: dict[str, Any] = {
        "AlgorithmSpecification": {
            "TrainingImage": arguments.image,
            "TrainingInputMode": "File",
            "MetricDefinitions": metric_definitions(),
        },
        "RoleArn": arguments.role,
        "OutputDataConfig": {"S3OutputPath": str(arguments.output)},
        "ResourceConfig": {
            "InstanceType": arguments.instance_type,
            "InstanceCount": arguments.instance_count,
            "VolumeSizeInGB": arguments.volume_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": arguments.max_seconds},
        "EnableManagedSpotTraining": arguments.spot,
    }
    if channels:
        definition["InputDataConfig"] = [channel.settings for channel in channels]
    if arguments.spot:
        longest = arguments.max_wait_seconds or 2 * arguments.max_seconds
        definition["StoppingCondition"]["MaxWaitTimeInSeconds"] = longest
    if checkpoints:
        definition["CheckpointConfig"] = {"S3Uri": str(checkpoints)}
    if network := options.vpc(arguments):
        definition["VpcConfig"] = network
    if arguments.env:
        definition["Environment"] = dict(arguments.env)
    return definition


def complaints(arguments: argparse.Namespace) -> list[str]:
    """What is wrong with the machine, the network or the time."""
    sentences = options.complaints(arguments)
    if arguments.max_wait_seconds is not None and not arguments.spot:
        sentences.append("--max-wait-seconds is for --spot.")
    if (
        arguments.spot
        and (arguments.max_wait_seconds or arguments.max_seconds) < arguments.max_seconds
    ):
        sentences.append(
            f"--max-wait-seconds ({arguments.max_wait_seconds}) counts the training too, so it is "
            f"at least --max-seconds ({arguments.max_seconds})."
        )
    return sentences
