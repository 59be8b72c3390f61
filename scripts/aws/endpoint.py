"""`deploy` and `delete`: an endpoint, with the model and the configuration that are part of it.

All three have one name, so that deleting needs to know no other.
"""

import argparse
from contextlib import suppress
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from scripts.aws import options, preflight
from scripts.aws.log_tail import print_end
from scripts.aws.model import add_model, create_model, delete_model, tagged
from scripts.aws.problems import Failed, Refused, is_absent
from scripts.aws.request import Request, check, show
from scripts.aws.services import Aws
from scripts.aws.waiting import left_running, wait

_WHAT = {
    "DeleteEndpoint": "endpoint",
    "DeleteEndpointConfig": "configuration",
    "DeleteModel": "model",
}


def add_deploy(commands: Any) -> None:
    """The subcommand that makes an endpoint."""
    parser = commands.add_parser("deploy", help="make an endpoint of a trained model")
    parser.set_defaults(run=deploy)
    parser.add_argument("name", help="of the new endpoint")
    add_model(parser)
    options.add_container(parser)
    options.add_waiting(parser, "the endpoint is in service")
    options.add_connection(parser)


def add_delete(commands: Any) -> None:
    """The subcommand that takes an endpoint away."""
    parser = commands.add_parser("delete", help="delete what `deploy` made")
    parser.set_defaults(run=delete)
    parser.add_argument("name", help="of the endpoint")
    options.add_connection(parser)


def deploy(arguments: argparse.Namespace) -> None:
    """Makes model, configuration and endpoint; what was made is taken back if a later one fails."""
    requests = [create_model(arguments), _configuration(arguments), _endpoint(arguments)]
    check(requests, options.complaints(arguments))
    if arguments.dry_run:
        return show(requests)
    aws = Aws.from_options(arguments)
    preflight.refuse_unless_ready(
        aws,
        role=arguments.role,
        image=arguments.image,
        inputs=[arguments.model_data],
        sentences=_about_names(aws, arguments.name),
        serves=True,
    )
    made: list[Request] = []
    try:
        for request in requests:
            request.send(aws)
            made.insert(0, _deletions(arguments.name)[request.operation])
    except (BotoCoreError, ClientError):
        for request in made:
            with suppress(BotoCoreError, ClientError):
                request.send(aws)
        raise
    print(f"Started the endpoint {arguments.name}.", flush=True)
    if not arguments.no_wait:
        _wait(aws, arguments.name, arguments.pause)


def delete(arguments: argparse.Namespace) -> None:
    """Deletes the endpoint, the configuration and the model of that name: all that there are.

    Raises Refused if there is none of them.
    """
    requests = list(reversed(_deletions(arguments.name).values()))
    check(requests)
    if arguments.dry_run:
        return show(requests)
    aws = Aws.from_options(arguments)
    deleted = []
    for request in requests:
        try:
            request.send(aws)
        except ClientError as error:
            if not is_absent(error):
                raise
        else:
            deleted.append(_WHAT[request.operation])
    if not deleted:
        raise Refused(f"There is no endpoint {arguments.name}, nor a configuration or model.")
    print(f"Deleted of {arguments.name}: {', '.join(deleted)}.")


def _configuration(arguments: argparse.Namespace) -> Request:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": arguments.name,
        "InitialInstanceCount": arguments.instance_count,
        "InstanceType": arguments.instance_type,
        "InitialVariantWeight": 1.0,
    }
    parameters = {"EndpointConfigName": arguments.name, "ProductionVariants": [variant]}
    return Request("CreateEndpointConfig", parameters | tagged(arguments))


def _endpoint(arguments: argparse.Namespace) -> Request:
    parameters = {"EndpointName": arguments.name, "EndpointConfigName": arguments.name}
    return Request("CreateEndpoint", parameters | tagged(arguments))


def _deletions(name: str) -> dict[str, Request]:
    """What undoes each creation, in the order of creations."""
    return {
        "CreateModel": delete_model(name),
        "CreateEndpointConfig": Request("DeleteEndpointConfig", {"EndpointConfigName": name}),
        "CreateEndpoint": Request("DeleteEndpoint", {"EndpointName": name}),
    }


def _about_names(aws: Aws, name: str) -> list[str]:
    if sentences := preflight.about_name(aws, "endpoint", "describe_endpoint", EndpointName=name):
        return [f"{sentences[0].rstrip('.')}, or `delete {name}` first."]
    return preflight.about_name(
        aws, "endpoint configuration", "describe_endpoint_config", EndpointConfigName=name
    ) + preflight.about_name(aws, "model", "describe_model", ModelName=name)


def _wait(aws: Aws, name: str, pause: float) -> None:
    describe = partial(aws.client("sagemaker", patient=True).describe_endpoint, EndpointName=name)
    with left_running(f"endpoint {name} goes on at AWS, and costs until `delete {name}`."):
        endpoint = wait(describe, "EndpointStatus", ("Creating", "Updating"), pause)
        if endpoint["EndpointStatus"] != "InService":
            print_end(aws.client("logs"), f"/aws/sagemaker/Endpoints/{name}")
            reason = endpoint.get("FailureReason") or f"it is {endpoint['EndpointStatus']}"
            raise Failed(
                f"The endpoint {name} is not in service: {reason}",
                f"`delete {name}` takes it away.",
            )
    print(f"The endpoint {name} is in service, and costs until `delete {name}`.")
