from typing import Any

import pytest
from moto.sagemaker import models

from tests.scripts.aws.account import CONTAINER, IMAGE, ROLE

ARTIFACT = "s3://bucket/jobs/old/output/model.tar.gz"
OPTIONS = [
    *CONTAINER,
    *("--model-data", ARTIFACT),
    *("--input", "s3://bucket/horses/validation/"),
    *("--output", "s3://bucket/masks"),
    *("--pause", "0.01"),
]


def job_of(document: dict[str, Any]) -> dict[str, Any]:
    assert list(document) == ["CreateModel", "CreateTransformJob"]
    return dict(document["CreateTransformJob"])


def test_one_jpeg_a_request_and_one_png_back(nowhere, aws):
    document = aws("transform", "masks-1", *OPTIONS, "--dry-run").document

    assert document["CreateModel"] == {
        "ModelName": "masks-1",
        "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": ARTIFACT},
        "ExecutionRoleArn": ROLE,
    }
    assert job_of(document) == {
        "TransformJobName": "masks-1",
        "ModelName": "masks-1",
        "BatchStrategy": "SingleRecord",
        "MaxConcurrentTransforms": 1,
        "MaxPayloadInMB": 6,
        "TransformInput": {
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": "s3://bucket/horses/validation/",
                }
            },
            "ContentType": "image/jpeg",
            "SplitType": "None",
            "CompressionType": "None",
        },
        "TransformOutput": {
            "S3OutputPath": "s3://bucket/masks",
            "Accept": "image/png",
            "AssembleWith": "None",
        },
        "TransformResources": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1},
    }


def test_a_job_is_run_to_its_end_and_its_model_deleted(account, aws):
    printed = job_of(aws("transform", "masks-1", *OPTIONS, "--dry-run").document)
    outcome = aws("transform", "masks-1", *OPTIONS)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "Started the transform job masks-1.",
        "Completed",
        "The transform job masks-1 is complete.",
        "Masks: s3://bucket/masks (a file for each image: its name and .out)",
    ]
    arrived = account("sagemaker").describe_transform_job(TransformJobName="masks-1")
    assert {name: arrived[name] for name in printed} == printed
    assert account("sagemaker").list_models()["Models"] == []


def test_why_a_job_failed(account, aws, monkeypatch):
    class Job(models.FakeTransformJob):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.transform_job_status = "Failed"
            self.failure_reason = "ClientError: b.jpg is no image"

    monkeypatch.setattr(models, "FakeTransformJob", Job)
    outcome = aws("transform", "masks-1", *OPTIONS)

    assert outcome.code == 1
    reason = "ClientError: b.jpg is no image"
    assert outcome.err == f"The transform job masks-1 did not complete: {reason}\n"
    assert account("sagemaker").list_models()["Models"] == []


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--input", "s3://bucket/zebras/"], "There is nothing at s3://bucket/zebras/."),
        (["--output", "s3://no-such-bucket"], "There is no bucket no-such-bucket in S3."),
        (["--image", IMAGE.replace(":cpu", ":index")], "of which SageMaker makes no model"),
        (["--concurrent", 20], "--concurrent (20) times --max-payload-mb (6) is more than the 100"),
        (["--instance-type", "ml.g7e.2xlarge"], "Blackwell GPUs (compute capability 12.0)"),
    ],
)
def test_a_mistake_is_told_and_nothing_made(account, aws, more, sentence):
    outcome = aws("transform", "masks-1", *OPTIONS, *more)

    assert (outcome.code, outcome.out) == (2, "")
    assert sentence in outcome.err
    assert account("sagemaker").list_models()["Models"] == []


def test_the_same_name_twice(account, aws):
    aws("transform", "masks-1", *OPTIONS)
    outcome = aws("transform", "masks-1", *OPTIONS)

    assert outcome.code == 2
    assert outcome.err == "There is already the transform job masks-1: choose another name.\n"


def test_the_model_is_taken_back_if_the_job_is_refused(account, aws, monkeypatch):
    def refuse(*arguments: Any, **named: Any) -> None:
        raise models.ValidationError("The account-level limit is 0 instances.")

    monkeypatch.setattr(models.SageMakerModelBackend, "create_transform_job", refuse)
    outcome = aws("transform", "masks-1", *OPTIONS)

    assert outcome.code == 1
    assert outcome.err == (
        "AWS refused CreateTransformJob: The account-level limit is 0 instances "
        "(ValidationException).\n"
    )
    assert account("sagemaker").list_models()["Models"] == []
