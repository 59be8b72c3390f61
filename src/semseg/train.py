"""`train`: from SageMaker's `/opt/ml/input` to a model in `/opt/ml/model`.

Imports stand where they are needed: mistakes need not wait for MXNet, which takes seconds to
import, and SIGTERM is heard before anything takes time.
"""

import os
import sys
import time
from typing import TYPE_CHECKING

from semseg.sagemaker.stopping import Stop

if TYPE_CHECKING:
    from semseg.sagemaker.tree import Tree
    from semseg.training.settings import Settings


def main() -> None:
    """The console script. Exit codes: 0 done, 2 the customer's, 1 ours, 3 the platform's."""
    stop = Stop.listen()
    from semseg.sagemaker import failure
    from semseg.sagemaker.logs import configure_logging
    from semseg.sagemaker.tree import Tree
    from semseg.training.settings import Settings

    configure_logging()
    tree = Tree.from_environment(os.environ)
    code = failure.run(lambda: train(tree, Settings.from_environment(os.environ), stop), tree)
    if code:
        # MXNet's engine, which may have failed in the middle of its work, is not waited for.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def train(tree: "Tree", settings: "Settings", stop: Stop) -> None:
    """Runs the training job that `/opt/ml/input` describes.

    Args:
        tree: SageMaker's folders.
        settings: what the environment says.
        stop: whether the job has been asked to end.

    Raises:
        SemsegError: whatever ends the job, each with its exit code.
        SystemExit: the job was asked to end, and all is saved.
    """
    from semseg import runtime
    from semseg.data.checks import check_datasets
    from semseg.data.label_map_files import read_label_maps
    from semseg.gpus import usable_gpus
    from semseg.networks.backbones import locate
    from semseg.networks.seed_model import facts, find_seed_model
    from semseg.sagemaker import metrics, narration
    from semseg.sagemaker.files import check_writable
    from semseg.sagemaker.job import read_job
    from semseg.training.checkpoints import Checkpoints
    from semseg.training.memory import refuse_too_little_memory
    from semseg.training.state import State

    started = time.time()

    # 1. What is asked for? All that is wrong with it is said at once, within a second.
    narration.entrypoint_called("train")
    job = read_job(tree)
    parameters = job.hyperparameters
    narration.job_read(job)
    check_writable(tree.model)

    # 2. Was it begun before? Then it goes on, and its models so far are in place at once.
    checkpoints = Checkpoints.of(job, settings.checkpoint_seconds)
    resumed = checkpoints.newest()
    state = resumed.state if resumed else State.at_start(parameters.seed)
    if resumed:
        narration.resumed(resumed.path, state.position.epoch, state.position.iterations)
        with stop.held_off():
            resumed.put_back_models(tree.model)

    # 3. Is everything there? Every file is read before the first is trained on.
    runtime.prepare()
    refuse_too_little_memory(parameters, usable_gpus())
    seed_model = find_seed_model(job.channels.model, parameters)
    checkpoints.add_facts(facts(seed_model))
    needs_backbone = parameters.use_pretrained_model and not (seed_model or resumed)
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
    )
    checkpoints.add_facts(dataset.facts())

    # 4. The network. MXNet is imported only here.
    from semseg.training.devices import find_devices
    from semseg.training.final_score import score_test_data
    from semseg.training.fit import fit, prepare_network
    from semseg.training.quantizing import quantize_best_model

    devices = find_devices(parameters)
    network = prepare_network(
        parameters, pretrained, None if resumed else seed_model, devices, state.seed
    )

    # 5. Train and validate, epoch by epoch, keeping the best. From here on a stop saves first.
    set_up = time.time()
    with stop.held_off():
        epochs = fit(job, dataset, network, devices, state, checkpoints, resumed, stop, seed_model)

    # 6. Test data, if there are any, are scored once, with the best model.
    if dataset.test:
        score_test_data(job, dataset.test, network, devices, epochs - 1)
    else:
        narration.test_data_not_provided()

    # 7. Is the model to be served in int8 too? Then its ranges are found and kept beside it.
    if parameters.quantize:
        quantize_best_model(job, dataset)

    ended = time.time()
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
