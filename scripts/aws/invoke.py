"""`invoke`: one image to an endpoint, and its answer into a file."""

import argparse
import io
import mimetypes
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scripts.aws import options
from scripts.aws.problems import Failed, Refused
from scripts.aws.request import Request, check, show
from scripts.aws.services import Aws
from semseg.sagemaker.files import write_bytes

# Shape BodyBlob of the API; boto3 sends more and the service refuses it.
_MOST_BYTES = 6_291_456


def add_invoke(commands: Any) -> None:
    """The subcommand."""
    parser = commands.add_parser("invoke", help="send an image to an endpoint and save the mask")
    parser.set_defaults(run=invoke)
    parser.add_argument("name", help="of the endpoint")
    parser.add_argument("image", type=Path, help="the image file")
    parser.add_argument("answer", type=Path, help="the file to write, such as mask.png")
    parser.add_argument("--accept", default="image/png", help="(default: image/png)")
    options.add_connection(parser)


def invoke(arguments: argparse.Namespace) -> None:
    """Sends the file as it is and saves what comes back, if it is what was asked for."""
    body = _read(arguments.image)
    request = _request(arguments, body)
    check([request])
    if arguments.dry_run:
        request.parameters["Body"] = f"<the {len(body)} bytes of {arguments.image}>"
        return show([request])
    answer = request.send(Aws.from_options(arguments))
    if answer["ContentType"].partition(";")[0].strip() != arguments.accept != "*/*":
        raise Failed(
            f"The endpoint {arguments.name} was asked for {arguments.accept} and answered "
            f"{answer['ContentType']}; {arguments.answer} was not written."
        )
    data = answer["Body"].read()
    described = _describe(data, arguments.accept)
    try:
        write_bytes(arguments.answer, data)
    except OSError as error:
        raise Failed(f"{arguments.answer} cannot be written: {error.strerror}.") from None
    print(f"{arguments.answer}: {described}")


def _request(arguments: argparse.Namespace, body: bytes) -> Request:
    content_type = mimetypes.guess_type(arguments.image)[0] or "application/octet-stream"
    parameters = {
        "EndpointName": arguments.name,
        "ContentType": content_type,
        "Accept": arguments.accept,
        "Body": body,
    }
    return Request("InvokeEndpoint", parameters, service="sagemaker-runtime")


def _read(file: Path) -> bytes:
    try:
        body = file.read_bytes()
    except OSError as error:
        raise Refused(f"The image {file} cannot be read: {error.strerror}.") from None
    if len(body) > _MOST_BYTES:
        raise Refused(
            f"{file} has {len(body)} bytes, and an endpoint takes {_MOST_BYTES}: make it smaller, "
            "or use `transform --max-payload-mb`."
        )
    return body


def _describe(data: bytes, accept: str) -> str:
    if accept != "image/png":
        return f"{len(data)} bytes of {accept}"
    try:
        mask = np.asarray(Image.open(io.BytesIO(data)))
    except OSError:
        raise Failed(f"The endpoint answered {len(data)} bytes that are no image.") from None
    height, width = mask.shape[:2]
    classes = ", ".join(map(str, np.unique(mask)))
    return f"{width} x {height} pixels, classes {classes}"
