"""`train`: from SageMaker's `/opt/ml/input` to a model in `/opt/ml/model`.

Imports stand where they are needed: mistakes need not wait for MXNet, which takes seconds to
import, and SIGTERM is heard before anything takes time.
"""

import gc
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from semseg.sagemaker.stopping import Stop

if TYPE_CHECKING:
    from semseg.sagemaker.job import Job
    from semseg.sagemaker.tree import Tree
    from semseg.training.hosts.team import Team
    from semseg.training.settings import Settings


def main() -> None:
    """The console script. Exit codes: 0 done, 2 the customer's, 1 ours, 3 the platform's.

    130 after Ctrl-C.
    """
    stop = Stop.listen()
    from semseg.sagemaker import failure
    from semseg.sagemaker.logs import configure_logging
    from semseg.sagemaker.tree import Tree
    from semseg.training.settings import Settings

    configure_logging()
    tree = Tree.from_environment(os.environ)

    def give_up(error: Exception) -> None:
        _leave(failure.report(error, tree))

    try:
        code = failure.run(
            lambda: train(tree, Settings.from_environment(os.environ), stop, give_up), tree
        )
    except SystemExit as ended:
        code = int(ended.code or 0)  # asked to end, and all is saved
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Ends the process. MXNet's engine may have failed, or wait for other hosts: it is left so."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def train(
    tree: "Tree", settings: "Settings", stop: Stop, give_up: Callable[[Exception], None]
) -> None:
    """Runs the training job that `/opt/ml/input` describes.

    Args:
        tree: SageMaker's folders.
        settings: what the environment says.
        stop: whether the job has been asked to end.
        give_up: ends the process with an error while this function is stuck.

    Raises:
        SemsegError: whatever ends the job, each with its exit code.
        SystemExit: the job was asked to end, and all is saved.
    """
    from semseg.sagemaker import narration
    from semseg.sagemaker.job import read_job
    from semseg.training.hosts.gathering import gathered

    started = time.time()

    # 1. What is asked for? All that is wrong with it is said at once, within a second.
    narration.entrypoint_called("train")
    job = read_job(tree)
    narration.job_read(job)

    # 2. Who takes part? Alone or together, the rest is the same.
    with gathered(job, stop, give_up, settings.patience) as team:
        run(job, settings, stop, team, started)


def run(job: "Job", settings: "Settings", stop: Stop, team: "Team", started: float) -> None:
    """Runs a job whose hosts are together; of several, the first one decides and writes.

    Args:
        job: the job.
        settings: what the environment says.
        stop: whether the job has been asked to end.
        team: the job's hosts.
        started: when this began, in seconds since 1970.
    """
    from semseg import runtime
    from semseg.data.checks import check_datasets
    from semseg.data.label_map_files import read_label_maps
    from semseg.gpus import usable_gpus
    from semseg.networks.backbones import locate
    from semseg.networks.seed_model import facts, find_seed_model
    from semseg.sagemaker import metrics, narration
    from semseg.sagemaker.files import check_writable
    from semseg.training.checkpoints import Checkpoints
    from semseg.training.hosts.agreement import check_same
    from semseg.training.memory import refuse_too_little_memory
    from semseg.training.state import State

    parameters = job.hyperparameters

    # 3. Was it begun before? Then it goes on, and its models so far are in place at once.
    if team.is_first:
        check_writable(job.tree.model)
    checkpoints = Checkpoints.of(job if team.is_first else None, settings.checkpoint_seconds)
    resumed = checkpoints.newest()
    state = resumed.state if resumed else State.at_start(parameters.seed)
    if resumed:
        narration.resumed(resumed.path, state.position.epoch, state.position.iterations)
        with stop.held_off():
            resumed.put_back_models(job.tree.model)
    state = State.from_json(team.broadcast(state.to_json()))

    # 4. Is everything there? Every file is read before the first is trained on.
    runtime.prepare()
    refuse_too_little_memory(parameters, usable_gpus())
    seed_model = find_seed_model(job.channels.model, parameters)
    checkpoints.add_facts(facts(seed_model))
    begins_anew = team.is_first and not (seed_model or resumed)
    needs_backbone = parameters.use_pretrained_model and begins_anew
    pretrained = locate(parameters.backbone, settings.backbones) if needs_backbone else None
    label_maps = read_label_maps(job.channels.label_map, parameters.num_classes)
    dataset = check_datasets(
        job.channels,
        parameters.num_classes,
        parameters.mini_batch_size,
        parameters.num_training_samples,
        label_maps,
        progress=sys.stderr.isatty(),
        listed=lambda part: narration.label_map(part.name, part.label_map.given),
        pipe_seconds=settings.pipe_seconds,
        hosts=team.size,
    )
    checkpoints.add_facts(dataset.facts())
    check_same(facts(seed_model) | dataset.facts(), job.hosts.all, team)

    # 5. The network, and with it MXNet.
    from semseg.training.devices import find_devices
    from semseg.training.final_score import score_test_data
    from semseg.training.fit import fit, prepare_network
    from semseg.training.quantizing import quantize_best_model
    from semseg.training.run import Run

    devices = find_devices(parameters)
    network = prepare_network(
        parameters, pretrained, None if resumed else seed_model, devices, state.seed
    )

    # 6. Train and validate, epoch by epoch, keeping the best. From here on a stop saves first.
    set_up = time.time()
    with stop.held_off():
        under_way = Run(job, state, checkpoints, resumed, stop, team)
        epochs = fit(under_way, dataset, network, devices, seed_model)

    # 7. Test data, if there are any, are scored once, with the best model.
    if not dataset.test:
        narration.test_data_not_provided()
    elif team.is_first:
        score_test_data(job, dataset.test, network, devices, epochs - 1)

    # 8. Is the model to be served in int8 too? Then its ranges are found and kept beside it.
    if parameters.quantize and team.is_first:
        del network, under_way  # their memory is for what follows
        gc.collect()
        quantize_best_model(job, dataset)

    ended = time.time()
    if team.is_first:
        metrics.job_summary(
            job.hosts.current,
            epochs,
            (set_up - started) * 1000,
            (ended - started) * 1000,
            started,
            ended,
        )


if __name__ == "__main__":
    main()
