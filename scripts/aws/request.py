"""A request to AWS before it is sent: it can be checked and printed without any connection."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from scripts.aws.api_model import complaints
from scripts.aws.problems import refuse
from scripts.aws.services import Aws


@dataclass(frozen=True)
class Request:
    """One call of an operation such as `CreateTrainingJob` with its parameters."""

    operation: str
    parameters: dict[str, Any]
    service: str = "sagemaker"

    def send(self, aws: Aws) -> dict[str, Any]:
        """Calls AWS and returns its answer; raises what boto3 raises."""
        call = getattr(aws.client(self.service), xform_name(self.operation))
        answer: dict[str, Any] = call(**self.parameters)
        return answer


def check(requests: Sequence[Request], sentences: Sequence[str] = ()) -> None:
    """Raises Refused with `sentences` and all that AWS's own model of its API says of `requests`.

    What several requests share, such as tags, is complained about once.
    """
    found = [
        complaint
        for request in requests
        for complaint in complaints(request.service, request.operation, request.parameters)
    ]
    refuse([*sentences, *dict.fromkeys(found)])


def show(requests: Sequence[Request], **more: object) -> None:
    """Prints the requests as one JSON object: parameters by operation, in the order of calls."""
    document = {request.operation: request.parameters for request in requests} | more
    print(json.dumps(document, indent=2, default=str))
