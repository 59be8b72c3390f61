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
    [found] = account("ecr").describe_images(
        repositoryName="semantic-segmentation", imageIds=[{"imageTag": "cpu"}]
    )["imageDetails"]
    repository = IMAGE.rpartition(":")[0]

    image = f"{repository}@{found['imageDigest']}"
    preflight.refuse_unless_ready(Aws(), **READY | {"image": image})
    with pytest.raises(Refused, match="is not in ECR"):
        preflight.refuse_unless_ready(Aws(), **READY | {"image": f"{repository}@sha256:{'0' * 64}"})


def test_an_image_of_another_registry_is_not_looked_for(account):
    preflight.refuse_unless_ready(Aws(), **READY | {"image": "registry.example.com/semseg:cpu"})


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ],
)
def test_an_index_of_images_trains_but_does_not_serve(account, kind):
    image = put_image(account, kind)

    preflight.refuse_unless_ready(Aws(), **READY | {"image": image})
    with pytest.raises(Refused) as refusal:
        preflight.refuse_unless_ready(Aws(), **READY | {"image": image}, serves=True)
    assert str(refusal.value) == (
        f"The image {image} is an index of images ({kind}), of which SageMaker makes no model: "
        "`make image` builds a single one, and `push` puts it in its place."
    )


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
    ],
)
def test_a_single_image_may_serve(account, kind):
    preflight.refuse_unless_ready(Aws(), **READY | {"image": put_image(account, kind)}, serves=True)


def put_image(account, kind):
    manifest = {"schemaVersion": 2, "mediaType": kind, "annotations": {"of": "this test"}}
    account("ecr").put_image(
        repositoryName="semantic-segmentation", imageManifest=json.dumps(manifest), imageTag="new"
    )
    return IMAGE.replace(":cpu", ":new")


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
    preflight.refuse_unless_ready(Denying(), **READY, serves=True)  # type: ignore[arg-type]
