"""`serve`: answers images over HTTP with the model in `/opt/ml/model`.

Everything that can be found wrong without MXNet is found here, within a second. Then gunicorn
takes this process over, so that it gets the container's SIGTERM itself; its workers load the model
(`semseg.serving.worker`). A SIGTERM that comes earlier waits until gunicorn knows what to do with
it (`semseg.serving.gunicorn_config`): to a container's first process it would else be lost.
"""

import logging
import os
import signal
import socket
import sys
from typing import NoReturn

from semseg.gpus import usable_gpus
from semseg.networks.artifact import Artifact, read_artifact
from semseg.networks.thresholds import read_thresholds
from semseg.runtime import serving_environment
from semseg.sagemaker.errors import CustomerError, SemsegError
from semseg.sagemaker.logs import configure_logging
from semseg.sagemaker.tree import Tree
from semseg.serving import metrics_folder
from semseg.serving.memory import WorkerMemory, refuse_too_little_memory
from semseg.serving.settings import MAX_PIXELS_VARIABLE, METRICS_FOLDER_VARIABLES, Settings

logger = logging.getLogger("semseg.serve")  # also where it runs as `python -m semseg.serve`


def main() -> int:
    """Becomes the server, or returns an exit code: 2 where the cause is the customer's to mend."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    configure_logging()
    try:
        settings = Settings.from_environment(os.environ)
        configure_logging(settings.log_level)
        artifact = read_artifact(Tree.from_environment(os.environ).model)
        refuse_too_little_memory(artifact.parameters, settings.workers)
        check_precision(settings.precision, artifact, usable_gpus())
        check_port(settings.port)
    except SemsegError as error:
        logger.error("%s: %s", error.label, error)
        return error.exit_code
    logger.info(
        "Serving %s on port %d, workers: %d", artifact.parameters, settings.port, settings.workers
    )
    memory = WorkerMemory(settings.workers, settings.max_payload_bytes)
    become_gunicorn(settings, memory.pixels(artifact.architecture.num_classes))


def check_precision(precision: str, artifact: Artifact, gpus: int) -> None:
    """Makes sure that the model can be served so, as far as that can be told without loading it.

    Args:
        precision: of `Settings`.
        artifact: the model.
        gpus: how many MXNet will see.

    Raises:
        CustomerError: int8, and it has not been calibrated, or there is a GPU; float16, and there
            is none.
    """
    if precision == "int8":
        if gpus:
            raise CustomerError(
                "SEMSEG_PRECISION=int8 is for CPUs, and this container has a GPU. Leave it out, "
                "give float16, or serve on an instance without a GPU."
            )
        read_thresholds(artifact)
    if precision == "float16" and not gpus:
        raise CustomerError(
            "SEMSEG_PRECISION=float16 is for GPUs, and this container has none that MXNet can use. "
            "Leave it out, give int8, or serve with the cu112 image on an instance with a GPU "
            "(docker run --gpus all)."
        )


def check_port(port: int) -> None:
    """Makes sure that the port can be had.

    Raises:
        CustomerError: it is in use, or not for this user.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            raise CustomerError(
                f"Port {port} cannot be used: {error.strerror}. Set SAGEMAKER_BIND_TO_PORT."
            ) from error


def become_gunicorn(settings: Settings, max_pixels: int) -> NoReturn:
    """Becomes gunicorn, with MXNet's variables set: MXNet reads them once, when it is imported.

    Args:
        settings: how to serve.
        max_pixels: the largest image that fits into memory; a limit that the user set goes first.
    """
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:semseg.serving.gunicorn_config",
    ]
    environment = {
        **serving_environment(settings.workers, int8=settings.precision == "int8"),
        MAX_PIXELS_VARIABLE: str(max_pixels),
        **{name: value for name, value in os.environ.items() if value},  # empty means not set
    }
    for name in METRICS_FOLDER_VARIABLES:  # another program's folder is not for our figures
        environment.pop(name, None)
    if settings.metrics:
        environment[METRICS_FOLDER_VARIABLES[0]] = metrics_folder.make()
    sys.stdout.flush()
    os.execvpe(command[0], command, environment)


if __name__ == "__main__":
    sys.exit(main())
