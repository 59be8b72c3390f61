from collections.abc import Iterator
from typing import Any

import pytest
from moto.sagemaker.models import sagemaker_backends

from scripts.aws import waiting
from tests.scripts.aws.account import ACCOUNT, REGION


def request(outcome: Any) -> dict[str, Any]:
    [(operation, parameters)] = outcome.document.items()
    assert operation == "CreateHyperParameterTuningJob"
    return dict(parameters)


def test_without_ranges_those_of_the_documentation(nowhere, aws, job):
    parameters = request(aws("tune", "horses", *job, "--set", "momentum=0.5", "--dry-run"))

    configuration = parameters["HyperParameterTuningJobConfig"]
    assert configuration["HyperParameterTuningJobObjective"] == {
        "Type": "Maximize",
        "MetricName": "validation:mIOU",
    }
    assert configuration["ParameterRanges"] == {
        "ContinuousParameterRanges": [
            {"Name": "learning_rate", "MinValue": "0.0001", "MaxValue": "0.1"},
            {"Name": "momentum", "MinValue": "0.9", "MaxValue": "0.999"},
            {"Name": "weight_decay", "MinValue": "0.00001", "MaxValue": "0.001"},
        ],
        "IntegerParameterRanges": [{"Name": "mini_batch_size", "MinValue": "1", "MaxValue": "128"}],
        "CategoricalParameterRanges": [
            {"Name": "optimizer", "Values": ["sgd", "adam", "adadelta"]}
        ],
    }
    fixed = parameters["TrainingJobDefinition"]["StaticHyperParameters"]
    assert fixed == {"num_classes": "2", "num_training_samples": "277", "epochs": "3"}


def test_ranges_limits_and_objective_of_ones_own(nowhere, aws, job):
    more = [
        *("--range", "crop_size=120:480", "--range", "algorithm=fcn,psp"),
        *("--objective", "validation:pixel_accuracy", "--max-jobs", 4, "--parallel-jobs", 1),
    ]
    parameters = request(aws("tune", "horses", *job, *more, "--spot", "--dry-run"))

    configuration = parameters["HyperParameterTuningJobConfig"]
    assert configuration["ParameterRanges"] == {
        "IntegerParameterRanges": [{"Name": "crop_size", "MinValue": "120", "MaxValue": "480"}],
        "CategoricalParameterRanges": [{"Name": "algorithm", "Values": ["fcn", "psp"]}],
    }
    assert configuration["ResourceLimits"] == {
        "MaxNumberOfTrainingJobs": 4,
        "MaxParallelTrainingJobs": 1,
    }
    objective = configuration["HyperParameterTuningJobObjective"]["MetricName"]
    assert objective == "validation:pixel_accuracy"
    definition = parameters["TrainingJobDefinition"]
    assert definition["EnableManagedSpotTraining"] is True
    assert "CheckpointConfig" not in definition  # several jobs would share it
    names = [each["Name"] for each in definition["AlgorithmSpecification"]["MetricDefinitions"]]
    assert objective in names


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            ["--range", "epochz=1:2"],
            "--range epochz: this algorithm has no such hyperparameter; did",
        ),
        (["--range", "epochs=2"], "--range epochs: found '2', allowed: two numbers"),
        (["--range", "epochs=5:2"], "--range epochs: found '5:2', allowed: two numbers"),
        (["--range", "lr_scheduler_step=1:2"], "--range lr_scheduler_step: this hyperparameter"),
        (["--range", "learning_rate=0.1:2"], "learning_rate: found '2', allowed: a number above 0"),
        (["--range", "optimizer=sgd,lion"], "optimizer: found 'lion', allowed: adam"),
        (["--range", "lr_scheduler=poly,step"], "lr_scheduler_step: no value was specified"),
        (["--set", "num_classes=1"], "num_classes: found '1'"),
        (
            ["--train-manifest", "s3://bucket/train.manifest", "--instance-count", 2],
            "Manifests are streamed, to one host only",
        ),
        (["--strategy", "Bayes"], "Strategy: AWS knows no 'Bayes'"),
    ],
)
def test_a_mistake_is_told_without_a_connection(nowhere, aws, job, more, sentence):
    outcome = aws("tune", "horses", *job, *more)

    assert (outcome.code, outcome.out) == (2, "")
    assert sentence in outcome.err


def test_a_name_that_is_too_long(nowhere, aws, job):
    outcome = aws("tune", "h" * 33, *job)

    assert outcome.code == 2
    assert "which has 33 characters, AWS allows at most 32." in outcome.err


def test_what_arrives_at_aws_is_what_a_dry_run_prints(account, aws, job):
    printed = request(aws("tune", "horses", *job, "--dry-run"))
    outcome = aws("tune", "horses", *job, "--no-wait")

    assert (outcome.code, outcome.out) == (0, "Started the tuning job horses.\n")
    arrived = account("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="horses"
    )
    assert {name: arrived[name] for name in printed} == printed


def test_a_fixed_value_of_what_is_tuned_is_left_out_and_that_is_said(account, aws, job):
    outcome = aws("tune", "horses", *job, "--range", "epochs=1:9", "--no-wait")

    assert outcome.out.startswith("Tuned, so not taken from what was given: epochs.\n")


def test_the_same_name_twice(account, aws, job):
    aws("tune", "horses", *job, "--no-wait")
    outcome = aws("tune", "horses", *job)

    assert outcome.code == 2
    assert outcome.err == "There is already the tuning job horses: choose another name.\n"


def scene(job: Any, end: str, best: dict[str, Any] | None) -> Iterator[None]:
    """What moto's job goes through while the command looks."""
    metric = {"MetricName": "validation:mIOU", "Value": 0.61, "Type": "Maximize"}
    job.training_job_status_counters["Completed"] = 1
    job.best_training_job["FinalHyperParameterTuningJobObjectiveMetric"] = metric
    yield
    job.training_job_status_counters["Completed"] = 2
    job.training_job_status_counters["NonRetryableError"] = 1
    job.hyper_parameter_tuning_job_status = end
    job.best_training_job = best
    yield


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the next tuning job that starts go through a scene, a part at each pause."""

    def play(end: str, best: dict[str, Any] | None) -> None:
        from moto.sagemaker import models

        class Job(models.HyperParameterTuningJob):
            def __init__(self, *arguments: Any, **named: Any) -> None:
                super().__init__(*arguments, **named)
                self.hyper_parameter_tuning_job_status = "InProgress"
                self.training_job_status_counters["Completed"] = 0
                parts = scene(self, end, best)
                monkeypatch.setattr(waiting, "sleep", lambda seconds: next(parts, None))

        monkeypatch.setattr(models, "HyperParameterTuningJob", Job)

    return play


def best_job() -> dict[str, Any]:
    metric = {"MetricName": "validation:mIOU", "Value": 0.72, "Type": "Maximize"}
    return {
        "TrainingJobName": "horses-002",
        "TrainingJobArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/horses-002",
        "TunedHyperParameters": {"learning_rate": "0.01", "optimizer": "adam"},
        "FinalHyperParameterTuningJobObjectiveMetric": metric,
    }


def test_progress_and_the_best_job(account, play, aws, job):
    play("Completed", best_job())
    outcome = aws("tune", "horses", *job, "--max-jobs", 3)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "Started the tuning job horses.",
        "1 of 3 jobs have ended, best validation:mIOU 0.6100",
        "3 of 3 jobs have ended, best validation:mIOU 0.7200",
        "Best job: horses-002, best validation:mIOU 0.7200",
        "  learning_rate=0.01",
        "  optimizer=adam",
    ]


def test_why_a_tuning_job_failed(account, play, aws, job):
    play("Failed", None)
    outcome = aws("tune", "horses", *job)

    assert outcome.code == 1
    assert outcome.err == "The tuning job horses failed: no reason given\n"


def test_a_tuning_job_without_a_model(account, play, aws, job):
    play("Completed", None)
    outcome = aws("tune", "horses", *job)

    assert outcome.code == 1
    assert outcome.err == "The tuning job horses ended without a model: all of its jobs failed.\n"
    assert "horses" in sagemaker_backends[ACCOUNT][REGION].hyper_parameter_tuning_jobs
