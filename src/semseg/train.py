"""`train`: from SageMaker's `/opt/ml/input` to a model in `/opt/ml/model`."""

import os
import sys
import time

from semseg import runtime
from semseg.data.checks import check_datasets
from semseg.data.label_map_files import read_label_maps
from semseg.gpus import usable_gpus
from semseg.networks.backbones import Sources, locate
from semseg.sagemaker import failure, metrics, narration
from semseg.sagemaker.files import require_writable
from semseg.sagemaker.job import read_job
from semseg.sagemaker.logs import configure_logging
from semseg.sagemaker.tree import Tree
from semseg.training.memory import refuse_too_little_memory


def main() -> None:
    """The console script. Exit codes: 0 done, 2 the customer's, 1 ours, 3 the platform's."""
    configure_logging()
    tree = Tree.from_environment(os.environ)
    sources = Sources.from_environment(os.environ)
    sys.exit(failure.run(lambda: train(tree, sources), tree))


def train(tree: Tree, sources: Sources) -> None:
    """Runs the training job that `/opt/ml/input` describes.

    Args:
        tree: SageMaker's folders.
        sources: where pretrained backbones may come from.

    Raises:
        SemsegError: whatever ends the job, each with its exit code.
    """
    started = time.time()

    # 1. What is asked for? All that is wrong with it is said at once, within a second.
    narration.entrypoint_called("train")
    job = read_job(tree)
    parameters = job.hyperparameters
    narration.job_read(job)

    # 2. Is everything there? Every file is read before the first is trained on.
    require_writable(tree.model)
    runtime.prepare()
    refuse_too_little_memory(parameters, usable_gpus())
    pretrained = locate(parameters.backbone, sources) if parameters.use_pretrained_model else None
    label_maps = read_label_maps(job.channels.label_map, parameters.num_classes)
    dataset = check_datasets(
        job.channels,
        parameters.num_classes,
        parameters.mini_batch_size,
        parameters.num_training_samples,
        label_maps,
        progress=sys.stderr.isatty(),
        listed=lambda part: narration.label_map(part.name, part.label_map.given),
    )

    # 3. The network. MXNet is imported only here: it takes a second that mistakes need not wait.
    from semseg.training.devices import find_device
    from semseg.training.fit import fit, prepare_network

    device = find_device()
    network = prepare_network(parameters, pretrained, device)

    # 4. Train and validate, epoch by epoch, keeping the best.
    set_up = time.time()
    epochs = fit(job, dataset, network, device)

    narration.test_data_not_provided()
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
