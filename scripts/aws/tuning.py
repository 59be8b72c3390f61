"""`tune`: a tuning job, which trains again and again to find the best hyperparameters."""

import argparse
from functools import partial
from typing import Any

from tqdm import tqdm

from scripts.aws import channels, hyperparameters, job_definition, options, preflight, ranges
from scripts.aws.channels import Channel
from scripts.aws.problems import Failed
from scripts.aws.request import Request, check, show
from scripts.aws.services import Aws
from scripts.aws.waiting import Description, left_running, watch

# https://docs.aws.amazon.com/sagemaker/latest/dg/semantic-segmentation-tuning.html
_OBJECTIVES = ("validation:mIOU", "validation:pixel_accuracy")


def add_tune(commands: Any) -> None:
    """The subcommand."""
    parser = commands.add_parser("tune", help="start a tuning job and wait for its best model")
    parser.set_defaults(run=tune)
    parser.add_argument("name", help="of the new tuning job, at most 32 characters")
    options.add_container(parser)
    hyperparameters.add_hyperparameters(parser)
    group = parser.add_argument_group("tuning")
    ranges.add_ranges(group)
    group.add_argument("--objective", choices=_OBJECTIVES, default=_OBJECTIVES[0])
    group.add_argument("--strategy", default="Bayesian", help="(default: Bayesian)")
    group.add_argument("--max-jobs", type=int, default=20, metavar="N", help="(default: 20)")
    group.add_argument("--parallel-jobs", type=int, default=2, metavar="N", help="(default: 2)")
    channels.add_channels(parser)
    options.add_job(parser)
    options.add_waiting(parser, "all jobs have ended")
    options.add_connection(parser)


def tune(arguments: argparse.Namespace) -> None:
    """Checks the request and every job that it can lead to, starts it and waits."""
    inputs = channels.channels(arguments)
    tuned, sentences = ranges.read(arguments)
    names = [each.name for each in tuned]
    given = hyperparameters.read(arguments)
    fixed = {name: value for name, value in given.items() if name not in names}
    request = _request(arguments, inputs, tuned, fixed)
    check(
        [request],
        sentences
        + channels.complaints(arguments)
        + job_definition.complaints(arguments)
        + ranges.complaints(tuned, fixed),
    )
    if arguments.dry_run:
        return show([request])
    if left_out := [name for name in given if name in names]:
        print(f"Tuned, so not taken from what was given: {', '.join(left_out)}.")
    aws = Aws.from_options(arguments)
    preflight.refuse_unless_ready(
        aws,
        role=arguments.role,
        image=arguments.image,
        inputs=[channel.place for channel in inputs],
        outputs=[place for place in (arguments.output, arguments.checkpoints) if place],
        sentences=preflight.about_name(
            aws,
            "tuning job",
            "describe_hyper_parameter_tuning_job",
            HyperParameterTuningJobName=arguments.name,
        ),
    )
    request.send(aws)
    print(f"Started the tuning job {arguments.name}.", flush=True)
    if not arguments.no_wait:
        _wait(aws, arguments)


def _request(
    arguments: argparse.Namespace,
    inputs: list[Channel],
    tuned: list[ranges.Range],
    fixed: dict[str, str],
) -> Request:
    parameters = {
        "HyperParameterTuningJobName": arguments.name,
        "HyperParameterTuningJobConfig": {
            "Strategy": arguments.strategy,
            "HyperParameterTuningJobObjective": {
                "Type": "Maximize",
                "MetricName": arguments.objective,
            },
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": arguments.max_jobs,
                "MaxParallelTrainingJobs": arguments.parallel_jobs,
            },
            "ParameterRanges": ranges.parameter_ranges(tuned),
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": fixed,
            # No default place for checkpoints: several jobs would share it.
            **job_definition.job_definition(arguments, inputs, arguments.checkpoints),
        },
    }
    if tags := options.tags(arguments):
        parameters["Tags"] = tags
    return Request("CreateHyperParameterTuningJob", parameters)


def _wait(aws: Aws, arguments: argparse.Namespace) -> None:
    name = arguments.name
    sagemaker = aws.client("sagemaker", patient=True)
    describe = partial(
        sagemaker.describe_hyper_parameter_tuning_job, HyperParameterTuningJobName=name
    )
    bar: Any = tqdm(total=arguments.max_jobs, unit="job", disable=None)
    with left_running(f"tuning job {name} goes on at AWS."), bar:
        status = "HyperParameterTuningJobStatus"
        for job in watch(describe, status, ("InProgress", "Stopping"), arguments.pause):
            counters = job["TrainingJobStatusCounters"]
            ended = sum(
                counters.get(key, 0) for key in ("Completed", "NonRetryableError", "Stopped")
            )
            if ended > bar.n or job[status] != "InProgress":
                tqdm.write(f"{ended} of {arguments.max_jobs} jobs have ended{_best_so_far(job)}")
            bar.update(ended - bar.n)
    _tell_end(name, job)


def _best_so_far(job: Description) -> str:
    metric = job.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric")
    return f", best {metric['MetricName']} {metric['Value']:.4f}" if metric else ""


def _tell_end(name: str, job: Description) -> None:
    if job["HyperParameterTuningJobStatus"] == "Failed":
        reason = job.get("FailureReason") or "no reason given"
        raise Failed(f"The tuning job {name} failed: {reason}")
    best = job.get("BestTrainingJob")
    if not best:
        raise Failed(f"The tuning job {name} ended without a model: all of its jobs failed.")
    print(f"Best job: {best['TrainingJobName']}{_best_so_far(job)}")
    for hyperparameter, value in best["TunedHyperParameters"].items():
        print(f"  {hyperparameter}={value}")
