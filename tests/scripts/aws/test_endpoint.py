from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.sagemaker import models

from scripts.aws import waiting
from tests.scripts.aws.account import CONTAINER, IMAGE, ROLE

ARTIFACT = "s3://bucket/jobs/old/output/model.tar.gz"
OPTIONS = [*CONTAINER, "--model-data", ARTIFACT, "--pause", "0.01"]


def left(client: Callable[[str], Any]) -> list[str]:
    """What there is of endpoints, configurations and models."""
    sagemaker = client("sagemaker")
    return [
        *(each["EndpointName"] for each in sagemaker.list_endpoints()["Endpoints"]),
        *(
            each["EndpointConfigName"]
            for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]
        ),
        *(each["ModelName"] for each in sagemaker.list_models()["Models"]),
    ]


def test_the_three_requests_of_an_endpoint(nowhere, aws):
    more = [
        *("--env", "SAGEMAKER_MODEL_SERVER_WORKERS=2", "--tag", "team=maps"),
        *("--subnets", "subnet-1", "--security-groups", "sg-1", "--instance-count", 3),
    ]
    document = aws("deploy", "horses", *OPTIONS, *more, "--dry-run").document

    tags = [{"Key": "team", "Value": "maps"}]
    assert document == {
        "CreateModel": {
            "ModelName": "horses",
            "PrimaryContainer": {
                "Image": IMAGE,
                "ModelDataUrl": ARTIFACT,
                "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "2"},
            },
            "ExecutionRoleArn": ROLE,
            "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
            "Tags": tags,
        },
        "CreateEndpointConfig": {
            "EndpointConfigName": "horses",
            "ProductionVariants": [
                {
                    "VariantName": "AllTraffic",
                    "ModelName": "horses",
                    "InitialInstanceCount": 3,
                    "InstanceType": "ml.g4dn.xlarge",
                    "InitialVariantWeight": 1.0,
                }
            ],
            "Tags": tags,
        },
        "CreateEndpoint": {"EndpointName": "horses", "EndpointConfigName": "horses", "Tags": tags},
    }


@pytest.mark.parametrize("instance_type", ["ml.c5.xlarge", "ml.g4dn.xlarge"])
def test_an_endpoint_on_cpu_or_gpu_is_deployed_and_deleted(account, aws, instance_type):
    outcome = aws("deploy", "horses", *OPTIONS, "--instance-type", instance_type)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "Started the endpoint horses.",
        "InService",
        "The endpoint horses is in service, and costs until `delete horses`.",
    ]
    sagemaker = account("sagemaker")
    configuration = sagemaker.describe_endpoint_config(EndpointConfigName="horses")
    assert configuration["ProductionVariants"][0]["InstanceType"] == instance_type
    assert sagemaker.describe_model(ModelName="horses")["ExecutionRoleArn"] == ROLE

    outcome = aws("delete", "horses")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "Deleted of horses: endpoint, configuration, model.\n"
    assert left(account) == []


def test_a_dry_deletion(nowhere, aws):
    assert aws("delete", "horses", "--dry-run").document == {
        "DeleteEndpoint": {"EndpointName": "horses"},
        "DeleteEndpointConfig": {"EndpointConfigName": "horses"},
        "DeleteModel": {"ModelName": "horses"},
    }


def test_what_is_left_of_an_endpoint_is_deleted_too(account, aws):
    aws("deploy", "horses", *OPTIONS, "--no-wait")
    account("sagemaker").delete_endpoint(EndpointName="horses")

    assert aws("delete", "horses").out == "Deleted of horses: configuration, model.\n"
    assert left(account) == []


def test_deleting_what_is_not_there(account, aws):
    outcome = aws("delete", "horses")

    assert outcome.code == 2
    assert outcome.err == "There is no endpoint horses, nor a configuration or model.\n"


def test_an_endpoint_that_exists(account, aws):
    aws("deploy", "horses", *OPTIONS, "--no-wait")
    outcome = aws("deploy", "horses", *OPTIONS)

    assert outcome.code == 2
    assert outcome.err == (
        "There is already the endpoint horses: choose another name, or `delete horses` first.\n"
    )


def test_a_model_that_exists(account, aws):
    account("sagemaker").create_model(ModelName="horses", ExecutionRoleArn=ROLE)
    outcome = aws("deploy", "horses", *OPTIONS)

    assert outcome.code == 2
    assert outcome.err == "There is already the model horses: choose another name.\n"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            ["--model-data", "s3://bucket/nothing/model.tar.gz"],
            "There is nothing at s3://bucket/no",
        ),
        (["--model-data", "s3://bucket/jobs"], "is not the model.tar.gz of a job"),
        (["--image", IMAGE.replace(":cpu", ":gpu")], "is not in ECR: `push` brings it there."),
        (["--image", IMAGE.replace(":cpu", ":index")], "of which SageMaker makes no model"),
        (["--role", ROLE.replace("SageMaker", "Nobody")], "There is no role Nobody"),
        (["--instance-type", "ml.c7g.xlarge"], "ARM processor, and the image is for x86-64."),
        (["--instance-type", "ml.inf2.xlarge"], "an accelerator that MXNet cannot use"),
        (["--security-groups", "sg-1"], "A VPC takes both"),
    ],
)
def test_a_mistake_is_told_and_nothing_made(account, aws, more, sentence):
    outcome = aws("deploy", "horses", *OPTIONS, *more)

    assert (outcome.code, outcome.out) == (2, "")
    assert sentence in outcome.err
    assert left(account) == []


@pytest.mark.parametrize("failing", ["create_endpoint", "create_endpoint_config"])
def test_what_was_made_is_taken_back_if_a_later_step_fails(account, aws, monkeypatch, failing):
    def refuse(*arguments: Any, **named: Any) -> None:
        raise models.ResourceInUseException("The quota is used up.")

    monkeypatch.setattr(models.SageMakerModelBackend, failing, refuse)
    outcome = aws("deploy", "horses", *OPTIONS)

    assert outcome.code == 1
    assert "The quota is used up; choose another name (ResourceInUse)." in outcome.err
    assert left(account) == []


@pytest.fixture
def failing_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next endpoint is being created at first, and has failed when looked at again."""

    class Endpoint(models.FakeEndpoint):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self.endpoint_status = "Creating"
            parts = self.scene()
            monkeypatch.setattr(waiting, "sleep", lambda seconds: next(parts, None))

        def scene(self) -> Iterator[None]:
            yield
            self.endpoint_status = "Failed"
            self.failure_reason = "The container did not pass the ping health check."
            yield

    monkeypatch.setattr(models, "FakeEndpoint", Endpoint)


def test_why_an_endpoint_failed_and_the_end_of_its_log(account, failing_endpoint, aws):
    group = "/aws/sagemaker/Endpoints/horses"
    account("logs").create_log_group(logGroupName=group)
    account("logs").create_log_stream(logGroupName=group, logStreamName="AllTraffic/i-1")
    account("logs").put_log_events(
        logGroupName=group,
        logStreamName="AllTraffic/i-1",
        logEvents=[{"timestamp": now(), "message": f"line {number}"} for number in range(40)],
    )

    outcome = aws("deploy", "horses", *OPTIONS)

    assert outcome.code == 1
    shown = outcome.out.splitlines()
    assert shown[:3] == ["Started the endpoint horses.", "Creating", "Failed"]
    assert shown[3:] == [f"line {number}" for number in range(25, 40)]
    assert "The endpoint horses is not in service: " in outcome.err
    assert "`delete horses` takes it away." in outcome.err


def now() -> int:
    import time

    return int(time.time() * 1000)
