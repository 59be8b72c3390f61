import json

import pytest
from botocore.exceptions import ClientError

from scripts.aws import preflight
from scripts.aws.locations import S3
from scripts.aws.problems import Refused
from scripts.aws.services import Aws
from tests.scripts.aws.account import IMAGE, ROLE, TRUST

READY = {"role": ROLE, "image": IMAGE, "inputs": [S3("bucket", "horses/train/")]}


def test_all_is_there(account):
    preflight.refuse_unless_ready(Aws(), **READY, outputs=[S3("bucket", "new")])


def test_all_that_is_missing_is_told_at_once(client):
    with pytest.raises(Refused) as refusal:
        preflight.refuse_unless_ready(Aws(), **READY, sentences=["And this."])

    assert str(refusal.value).splitlines() == [
        "And this.",
        f"There is no role SageMaker in this account (--role {ROLE}).",
        f"The image {IMAGE} is not in ECR: `push` brings it there.",
        "There is no bucket bucket in S3.",
    ]


def test_a_role_that_sagemaker_may_not_assume(account):
    trust = json.dumps(TRUST).replace("sagemaker", "ec2")
    account("iam").update_assume_role_policy(RoleName="SageMaker", PolicyDocument=trust)

    with pytest.raises(Refused, match="its trust policy lacks sagemaker"):
        preflight.refuse_unless_ready(Aws(), **READY)


def test_a_bucket_in_another_region(account):
    account("s3").create_bucket(
        Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    with pytest.raises(
        Refused, match="far-away is in eu-west-1, and the job would run in us-east-1"
    ):
        preflight.refuse_unless_ready(Aws(), **READY, outputs=[S3("far-away", "")])


def test_an_image_by_its_digest(account):
    [found] = account("ecr").describe_images(repositoryName="semantic-segmentation")["imageDetails"]
    repository = IMAGE.rpartition(":")[0]

    image = f"{repository}@{found['imageDigest']}"
    preflight.refuse_unless_ready(Aws(), **READY | {"image": image})
    with pytest.raises(Refused, match="is not in ECR"):
        preflight.refuse_unless_ready(Aws(), **READY | {"image": f"{repository}@sha256:{'0' * 64}"})


def test_an_image_of_another_registry_is_not_looked_for(account):
    preflight.refuse_unless_ready(Aws(), **READY | {"image": "registry.example.com/semseg:cpu"})


class Denying:
    """An account whose credentials may do nothing."""

    def find(self, *arguments: object, **named: object) -> None:
        return None

    def client(self, service: str) -> "Denying":
        return self

    @property
    def meta(self) -> "Denying":
        return self

    region_name = "us-east-1"

    def __getattr__(self, operation: str):
        def deny(**parameters: object):
            code = "403" if operation == "head_bucket" else "AccessDenied"
            raise ClientError({"Error": {"Code": code, "Message": "not authorized"}}, operation)

        return deny


def test_where_these_credentials_may_not_look_nothing_is_said():
    preflight.refuse_unless_ready(Denying(), **READY)  # type: ignore[arg-type]
