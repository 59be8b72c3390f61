"""What AWS is asked before a job is started: whether all that the request names is there.

Where these credentials may not look, nothing is said: SageMaker looks with its own role.
"""

import json
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from scripts.aws.locations import S3, EcrImage
from scripts.aws.problems import code_of, is_absent, is_denied, refuse
from scripts.aws.services import Aws

_SAGEMAKER = "sagemaker.amazonaws.com"
# CreateModel says "Unsupported manifest media type" to them: github.com/mlflow/mlflow/issues/13834.
# It said so to OCI's manifest of one image, too; that it still does is not certain.
_INDICES = {
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
}


def refuse_unless_ready(
    aws: Aws,
    *,
    role: str,
    image: str,
    inputs: Iterable[S3],
    outputs: Iterable[S3] = (),
    sentences: Iterable[str] = (),
    serves: bool = False,
) -> None:
    """Raises Refused with `sentences` and all that is missing on AWS.

    An image that `serves` becomes a model there, for which SageMaker takes fewer kinds of images.
    """
    refuse(
        [
            *sentences,
            *_about_role(aws, role),
            *_about_image(aws, image, serves),
            *_about_storage(aws, tuple(inputs), tuple(outputs)),
        ]
    )


def about_name(aws: Aws, what: str, method: str, **parameters: str) -> list[str]:
    """The name of something that is to be created stands for something already."""
    if aws.find("sagemaker", method, **parameters) is None:
        return []
    [name] = parameters.values()
    return [f"There is already the {what} {name}: choose another name."]


def _about_role(aws: Aws, arn: str) -> list[str]:
    """The role does not exist, or SageMaker may not assume it."""
    name = arn.rpartition("/")[2]
    try:
        answer = aws.client("iam").get_role(RoleName=name)
    except ClientError as error:
        if is_denied(error):
            return []
        if is_absent(error):
            return [f"There is no role {name} in this account (--role {arn})."]
        raise
    trusted = json.dumps(answer["Role"]["AssumeRolePolicyDocument"])
    if _SAGEMAKER in trusted:
        return []
    return [f"SageMaker may not assume the role {name}: its trust policy lacks {_SAGEMAKER}."]


def _about_image(aws: Aws, name: str, serves: bool) -> list[str]:
    """The image is not in ECR, in another region, or an index. Those of other registries pass."""
    found = EcrImage.find(name)
    if found is None:
        return []
    ecr = aws.client("ecr")
    if found.region != ecr.meta.region_name:
        return [
            f"The image {found} is in {found.region}, and the job would run in "
            f"{ecr.meta.region_name}: SageMaker wants both in one region."
        ]
    identity = {"imageDigest": found.digest} if found.digest else {"imageTag": found.tag}
    try:
        [details] = ecr.describe_images(
            registryId=found.account, repositoryName=found.repository, imageIds=[identity]
        )["imageDetails"]
    except ClientError as error:
        if is_denied(error):
            return []
        if is_absent(error):
            return [f"The image {found} is not in ECR: `push` brings it there."]
        raise
    kind = details.get("imageManifestMediaType")
    if serves and kind in _INDICES:
        return [
            f"The image {found} is an index of images ({kind}), of which SageMaker makes no model: "
            "`make image` builds a single one, and `push` puts it in its place."
        ]
    return []


def _about_storage(aws: Aws, inputs: tuple[S3, ...], outputs: tuple[S3, ...]) -> list[str]:
    """Buckets that do not exist or are elsewhere, and inputs under which there is nothing."""
    s3 = aws.client("s3")
    sentences: list[str] = []
    for bucket in dict.fromkeys(place.bucket for place in (*inputs, *outputs)):
        complaints = _bucket(s3, bucket)
        sentences += complaints
        if not complaints:
            sentences += [
                f"There is nothing at {place}."
                for place in inputs
                if place.bucket == bucket and _is_empty(s3, place)
            ]
    return sentences


def _bucket(s3: Any, name: str) -> list[str]:
    try:
        region = s3.head_bucket(Bucket=name).get("BucketRegion")
    except ClientError as error:
        if is_denied(error):
            return []
        if is_absent(error):
            return [f"There is no bucket {name} in S3."]
        raise
    here = s3.meta.region_name
    if region not in (None, here):
        return [f"The bucket {name} is in {region}, and the job would run in {here}."]
    return []


def _is_empty(s3: Any, place: S3) -> bool:
    try:
        answer = s3.list_objects_v2(Bucket=place.bucket, Prefix=place.key, MaxKeys=1)
    except ClientError as error:
        if is_denied(error) or code_of(error) == "NoSuchBucket":
            return False
        raise
    return int(answer["KeyCount"]) == 0
