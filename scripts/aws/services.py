"""The connection to AWS: which account and region, and a client for each of its services."""

import argparse
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from scripts.aws.problems import is_absent, is_denied

_ATTEMPTS = 4
# Somebody who follows a job for hours has a network that goes away for a minute.
_PATIENT_ATTEMPTS = 12


@dataclass(frozen=True)
class Aws:
    """Where AWS is to do something. What is None comes from the environment, as boto3 reads it.

    The environment may also name other addresses than AWS's (`AWS_ENDPOINT_URL`).
    """

    region: str | None = None
    profile: str | None = None

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """The region and profile of the command line."""
        return cls(options.region, options.profile)

    @cached_property
    def _session(self) -> Any:
        return boto3.session.Session(region_name=self.region, profile_name=self.profile)

    def client(self, service: str, patient: bool = False) -> Any:
        """boto3's client of a service such as `sagemaker`; a patient one tries again for longer."""
        attempts = _PATIENT_ATTEMPTS if patient else _ATTEMPTS
        retries: dict[str, Any] = {"mode": "standard", "max_attempts": attempts}
        return self._session.client(service, config=Config(retries=retries))

    def find(self, service: str, method: str, **parameters: Any) -> dict[str, Any] | None:
        """What a describing call answers; None where there is no such thing or no right to look."""
        try:
            answer: dict[str, Any] = getattr(self.client(service), method)(**parameters)
        except ClientError as error:
            if is_absent(error) or is_denied(error):
                return None
            raise
        return answer
