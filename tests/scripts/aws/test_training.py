from typing import Any

import pytest

from scripts.training_log import metric_definitions
from tests.scripts.aws.account import ACCOUNT, CONTAINER, HYPERPARAMETERS, IMAGE, REGION, ROLE

STREAMED = [
    *("--train-manifest", "s3://bucket/horses/train.manifest"),
    *("--validation-manifest", "s3://bucket/horses/validation.manifest"),
    *("--attribute-names", "source-ref", "horse-ref"),
]


def request(outcome: Any) -> dict[str, Any]:
    [(operation, parameters)] = outcome.document.items()
    assert operation == "CreateTrainingJob"
    return dict(parameters)


def channel(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [each for each in parameters["InputDataConfig"] if each["ChannelName"] == name]
    return dict(found)


def source(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    return dict(channel(parameters, name)["DataSource"]["S3DataSource"])


def test_the_request_of_a_plain_job(nowhere, aws, job):
    parameters = request(aws("train", "horses-1", *job, "--dry-run"))

    assert parameters["TrainingJobName"] == "horses-1"
    assert parameters["RoleArn"] == ROLE
    assert parameters["HyperParameters"] == {k: str(v) for k, v in HYPERPARAMETERS.items()}
    assert parameters["AlgorithmSpecification"] == {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": metric_definitions(),
    }
    assert parameters["OutputDataConfig"] == {"S3OutputPath": "s3://bucket/jobs"}
    assert parameters["EnableManagedSpotTraining"] is False
    assert parameters["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert not {"CheckpointConfig", "VpcConfig", "Tags", "Environment"} & parameters.keys()


def test_four_channels_whose_prefixes_match_nothing_else(nowhere, aws, job):
    parameters = request(aws("train", "horses-1", *job, "--dry-run"))

    types = {each["ChannelName"]: each["ContentType"] for each in parameters["InputDataConfig"]}
    assert types == {
        "train": "image/jpeg",
        "train_annotation": "image/png",
        "validation": "image/jpeg",
        "validation_annotation": "image/png",
    }
    for name in types:
        assert source(parameters, name) == {
            "S3DataType": "S3Prefix",
            "S3Uri": f"s3://bucket/horses/{name}/",
            "S3DataDistributionType": "FullyReplicated",
        }
        assert channel(parameters, name)["InputMode"] == "File"


def test_an_augmented_manifest_is_streamed_as_records(nowhere, aws, job):
    options = [*CONTAINER, *job[6:8], "--output", "s3://bucket/jobs", *STREAMED]
    maps = ["--channel", "label_map=s3://bucket/horses/maps", "--shuffle-seed", 7]
    parameters = request(aws("train", "horses-1", *options, *maps, "--dry-run"))

    assert channel(parameters, "train") == {
        "ChannelName": "train",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "AugmentedManifestFile",
                "S3Uri": "s3://bucket/horses/train.manifest",
                "S3DataDistributionType": "FullyReplicated",
                "AttributeNames": ["source-ref", "horse-ref"],
            }
        },
        "ContentType": "application/x-recordio",
        "RecordWrapperType": "RecordIO",
        "CompressionType": "None",
        "InputMode": "Pipe",
        "ShuffleConfig": {"Seed": 7},
    }
    assert "ShuffleConfig" not in channel(parameters, "validation")
    assert channel(parameters, "label_map")["InputMode"] == "File"
    assert len(parameters["InputDataConfig"]) == 3


def test_optional_channels_and_an_earlier_model(nowhere, aws, job):
    more = [
        *("--channel", "label_map=s3://bucket/horses/maps"),
        *("--channel", "test=s3://bucket/test"),
        *("--channel", "test_annotation=s3://bucket/test_annotation"),
        *("--model", "s3://bucket/jobs/old/output/model.tar.gz"),
        *("--input-mode", "FastFile"),
    ]
    parameters = request(aws("train", "horses-1", *job, *more, "--dry-run"))

    assert "ContentType" not in channel(parameters, "label_map")
    assert channel(parameters, "label_map")["InputMode"] == "File"
    assert channel(parameters, "test")["ContentType"] == "image/jpeg"
    assert channel(parameters, "test")["InputMode"] == "FastFile"
    assert channel(parameters, "test_annotation")["ContentType"] == "image/png"
    assert channel(parameters, "model")["ContentType"] == "application/x-sagemaker-model"
    assert channel(parameters, "model")["InputMode"] == "File"
    assert source(parameters, "model")["S3Uri"] == "s3://bucket/jobs/old/output/model.tar.gz"


def test_record_files_bring_their_masks(nowhere, aws, job):
    parameters = request(aws("train", "horses-1", *job, "--records", "--dry-run"))

    types = {each["ChannelName"]: each["ContentType"] for each in parameters["InputDataConfig"]}
    assert types == dict.fromkeys(("train", "validation"), "application/x-recordio")


def test_spot_capacity_brings_a_place_for_checkpoints(nowhere, aws, job):
    parameters = request(aws("train", "horses-1", *job, "--spot", "--max-seconds", 60, "--dry-run"))

    assert parameters["EnableManagedSpotTraining"] is True
    assert parameters["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 60,
        "MaxWaitTimeInSeconds": 120,
    }
    assert parameters["CheckpointConfig"] == {"S3Uri": "s3://bucket/jobs/horses-1/checkpoints"}


def test_a_place_for_checkpoints_of_ones_own(nowhere, aws, job):
    more = ["--spot", "--max-wait-seconds", 90000, "--checkpoints", "s3://bucket/kept"]
    parameters = request(aws("train", "horses-1", *job, *more, "--dry-run"))

    assert parameters["CheckpointConfig"] == {"S3Uri": "s3://bucket/kept"}
    assert parameters["StoppingCondition"]["MaxWaitTimeInSeconds"] == 90000


def test_network_tags_environment_and_machine(nowhere, aws, job):
    more = [
        *("--subnets", "subnet-1", "subnet-2", "--security-groups", "sg-1"),
        *("--tag", "team=maps", "--tag", "cost=7=8", "--env", "SEMSEG_BACKBONES=/opt/x"),
        *("--instance-count", 2, "--volume-gb", 100),
    ]
    parameters = request(aws("train", "horses-1", *job, *more, "--dry-run"))

    assert parameters["VpcConfig"] == {
        "SecurityGroupIds": ["sg-1"],
        "Subnets": ["subnet-1", "subnet-2"],
    }
    assert parameters["Tags"] == [
        {"Key": "team", "Value": "maps"},
        {"Key": "cost", "Value": "7=8"},
    ]
    assert parameters["Environment"] == {"SEMSEG_BACKBONES": "/opt/x"}
    assert parameters["ResourceConfig"] == {
        "InstanceType": "ml.g4dn.xlarge",
        "InstanceCount": 2,
        "VolumeSizeInGB": 100,
    }


def test_what_arrives_at_aws_is_what_a_dry_run_prints(account, aws, job):
    more = [
        *("--spot", "--checkpoints", "s3://bucket/kept", "--tag", "team=maps"),
        *("--subnets", "subnet-1", "--security-groups", "sg-1", "--set", "epochs=5"),
        *("--model", "s3://bucket/jobs/old/output/model.tar.gz"),
    ]
    printed = request(aws("train", "horses-1", *job, *more, "--dry-run"))
    outcome = aws("train", "horses-1", *job, *more)

    assert (outcome.code, outcome.err) == (0, "")
    assert "Started the training job horses-1." in outcome.out
    arrived = account("sagemaker").describe_training_job(TrainingJobName="horses-1")
    tags = account("sagemaker").list_tags(ResourceArn=arrived["TrainingJobArn"])["Tags"]
    assert (printed.pop("Tags"), printed["HyperParameters"]["epochs"]) == (tags, "5")
    # Moto keeps metrics of its own instead of those it is told.
    del printed["AlgorithmSpecification"], arrived["AlgorithmSpecification"]
    assert {name: arrived[name] for name in printed} == printed


def test_without_waiting_nothing_is_said_of_the_end(account, aws, job):
    outcome = aws("train", "horses-1", *job, "--no-wait")

    assert (outcome.code, outcome.out) == (0, "Started the training job horses-1.\n")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--set", "epochz=3"], "epochz: found '3', but this algorithm has no such"),
        (["--set", "num_classes=1"], "num_classes: found '1', allowed: an integer from 2 to 254"),
        (["--set", "lr_scheduler=step"], "lr_scheduler_step: no value was specified"),
        (["--channel", "trian=s3://bucket/x"], "no such channel; did you mean 'train'?"),
        (["--channel", "test=s3://bucket/x"], "test and test_annotation come in pairs"),
        (["--subnets", "subnet-1"], "A VPC takes both --subnets and --security-groups."),
        (["--max-wait-seconds", 100], "--max-wait-seconds is for --spot."),
        (["--spot", "--max-wait-seconds", 100], "at least --max-seconds (86400)"),
        (["--instance-type", "ml.p5.48xlarge"], "H100 GPUs (compute capability 9.0)"),
        (["--instance-type", "ml.g4dn.xlrage"], "did you mean 'ml.g4dn.xlarge'?"),
        (["--role", "SageMaker"], "RoleArn: found 'SageMaker', AWS allows the ARN of a role"),
        (
            ["--max-seconds", 0],
            "StoppingCondition.MaxRuntimeInSeconds: found 0, AWS allows at least 1.",
        ),
        (["--tag", "a*=b"], "Tags[0].Key: found 'a*'"),
        (["--shuffle-seed", 1], "--shuffle-seed is for manifests"),
        (STREAMED, "Manifests bring images and masks: leave out --data"),
        (STREAMED[:2], "Manifests come in pairs"),
        (STREAMED[:4], "Manifests want --attribute-names"),
        ([*STREAMED, "--instance-count", 2], "to one host only: leave out --instance-count 2"),
        ([*STREAMED[:-1], "horse"], "--attribute-names: horse must end with -ref."),
        (["--tag", "team"], "argument --tag: 'team' is not NAME=VALUE"),
        (
            ["--output", "bucket/jobs"],
            "'bucket/jobs' is no place in S3, such as s3://bucket/folder",
        ),
        (["--model", "s3://bucket/jobs"], "'s3://bucket/jobs' is not the model.tar.gz of a job"),
        (["--hyperparameters", "missing.json"], "there is no file missing.json"),
    ],
)
def test_a_mistake_is_told_without_a_connection(nowhere, aws, job, more, sentence):
    outcome = aws("train", "horses-1", *job, *more)

    assert (outcome.code, outcome.out) == (2, "")
    assert sentence in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("h" * 64, "which has 64 characters, AWS allows at most 63."),
        ("horses_1", "TrainingJobName: found 'horses_1', AWS allows letters, digits and hyphens"),
        ("-", "the following arguments are required"),
    ],
)
def test_a_name_that_aws_does_not_allow(nowhere, aws, job, name, sentence):
    arguments = job if name == "-" else [name, *job]
    outcome = aws("train", *arguments)

    assert outcome.code == 2
    assert sentence in outcome.err


def test_all_mistakes_are_told_at_once(nowhere, aws, hyperparameters):
    wrong = ["--image", IMAGE, "--role", "R", "--instance-type", "ml.p2.xlarge"]
    outcome = aws("train", "a_b", *wrong, "--output", "s3://bucket/jobs", "--set", "epochs=0")

    assert outcome.code == 2
    for word in ("channels", "K80", "num_classes", "epochs", "TrainingJobName", "RoleArn"):
        assert word in outcome.err


def test_no_role(nowhere, aws, job):
    outcome = aws("train", "horses-1", *job[:2], *job[4:])

    assert outcome.code == 2
    assert "the following arguments are required: --role" in outcome.err


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            ["--role", f"arn:aws:iam::{ACCOUNT}:role/Nobody"],
            f"There is no role Nobody in this account (--role arn:aws:iam::{ACCOUNT}:role/Nobody).",
        ),
        (["--output", "s3://no-such-bucket/jobs"], "There is no bucket no-such-bucket in S3."),
        (["--data", "s3://no-such-bucket/x"], "There is no bucket no-such-bucket in S3."),
        (["--data", "s3://bucket/zebras"], "There is nothing at s3://bucket/zebras/train/."),
        (
            ["--model", "s3://bucket/jobs/new/output/model.tar.gz"],
            "There is nothing at s3://bucket/jobs/new/output/model.tar.gz.",
        ),
        (
            ["--image", IMAGE.replace(":cpu", ":gpu")],
            f"The image {IMAGE.replace(':cpu', ':gpu')} is not in ECR: `push` brings it there.",
        ),
        (["--image", IMAGE.replace("/semantic", "/other")], "is not in ECR"),
        (["--image", IMAGE.replace(REGION, "eu-west-1")], "SageMaker wants both in one region."),
    ],
)
def test_what_is_not_there_is_told_before_the_job_is_started(account, aws, job, more, sentence):
    outcome = aws("train", "horses-1", *job, *more)

    assert (outcome.code, outcome.out) == (2, "")
    assert sentence in outcome.err
    assert account("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_a_name_that_stands_for_a_job_already(account, aws, job):
    aws("train", "horses-1", *job, "--no-wait")
    outcome = aws("train", "horses-1", *job)

    assert outcome.code == 2
    assert outcome.err == "There is already the training job horses-1: choose another name.\n"
