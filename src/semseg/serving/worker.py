"""What a gunicorn worker does once it has been forked: start the engine, then answer HTTP.

MXNet must not be imported before the fork, and not by two threads, so nothing here imports it but
the engine's own thread.
"""

import logging
import mmap
import os
import sys
import time
from typing import Any

from flask import Flask
from gunicorn.errors import HaltServer

from semseg.container import available_memory
from semseg.networks.artifact import Artifact, read_artifact
from semseg.networks.thresholds import read_thresholds
from semseg.sagemaker.errors import AlgorithmError, PlatformError, SemsegError
from semseg.sagemaker.logs import configure_logging
from semseg.sagemaker.tree import Tree
from semseg.serving.app import create_app
from semseg.serving.engine import Engine
from semseg.serving.engine import Predictor as AnyPredictor
from semseg.serving.heap import give_back_unused
from semseg.serving.memory import WorkerMemory
from semseg.serving.metrics import Metrics, Request
from semseg.serving.room import Room
from semseg.serving.settings import Settings

logger = logging.getLogger(__name__)

# Memory that workers share with gunicorn's arbiter: the exit code of one that gave up (the arbiter
# knows an exit code of its own for this, but stumbles when two workers leave with it), and whether
# any has ever got as far as answering.
_shared = mmap.mmap(-1, 2)
_VERDICT, _EVER_WARM = 0, 1

# Seconds before another worker takes the place of one that gave up.
_BEFORE_ANOTHER = 5.0

# Below gunicorn's graceful timeout, after which the worker is killed.
_SECONDS_TO_END = 10


def application() -> Flask:
    """gunicorn's `wsgi_app`: called in every worker.

    gunicorn would end the whole server over what this raises, so it raises nothing.
    """
    try:
        return _application()
    except Exception as problem:
        give_up(problem)
        raise  # never comes to it


def _application() -> Flask:
    settings = Settings.from_environment(os.environ)
    configure_logging(settings.log_level)
    metrics = Metrics(settings.metrics_folder)
    engine = Engine(metrics)
    artifact = read_artifact(Tree.from_environment(os.environ).model)
    engine.start(lambda: load_predictor(artifact, settings), give_up, tell_warm)
    memory = WorkerMemory(settings.workers, settings.max_payload_bytes)
    app = create_app(
        engine,
        settings,
        metrics,
        Room(memory.waiting().answers),
        artifact.architecture.num_classes,
        memory.values(),
    )
    app.extensions["engine"] = engine
    return app


def load_predictor(artifact: Artifact, settings: Settings) -> AnyPredictor:
    """The artifact's predictor, told of in the original's words.

    Args:
        artifact: the trained model.
        settings: the precision, and how many workers share the memory.

    Raises:
        CustomerError: if the artifact cannot be served, or not in that precision.
    """
    thresholds = read_thresholds(artifact) if settings.precision == "int8" else None
    logger.info("loading model...")
    import mxnet as mx  # here, in the engine's thread, for the first time

    from semseg.inference.predictor import Predictor

    logger.info("Number of GPUs being used: %d", min(1, mx.context.num_gpus()))
    logger.info("Loading weights from %s", artifact.parameters)
    memory = WorkerMemory(settings.workers, settings.max_payload_bytes)
    affordable = memory.pixels_at_once(artifact.architecture.algorithm)
    predictor = Predictor(
        artifact,
        thresholds=thresholds,
        affordable=affordable,
        float16=settings.precision == "float16",
        # Beside others at work, times say little.
        proven=bool(_shared[_EVER_WARM]) or not settings.precision_check,
    )
    logger.info("...model loaded.")
    return predictor


def give_up(problem: Exception) -> None:
    """Says why, and ends the worker; `halt_where_none_can_live` then sees to the server."""
    error = problem if isinstance(problem, SemsegError) else AlgorithmError(str(problem))
    logger.error("%s: %s", error.label, error, exc_info=None if error is problem else problem)
    sys.stdout.flush()
    _shared[_VERDICT] = error.exit_code
    os._exit(1)  # from a thread, sys.exit would end the thread alone


def tell_warm() -> None:
    """Notes that the model answers: whatever ends a worker from now on is no reason to halt.

    What loading it took is given back.
    """
    _shared[_EVER_WARM] = 1
    give_back_unused()


def halt_where_none_can_live(arbiter: Any, _worker: Any) -> None:
    """For gunicorn's `child_exit`: a model that cannot be loaded will not load in another worker.

    One that has been loaded will, sooner or later, and whoever answers meanwhile goes on.

    Raises:
        HaltServer: with the exit code for the whole server.
    """
    halting_already = not arbiter.LISTENERS
    if halting_already:
        return
    verdict, _shared[_VERDICT] = _shared[_VERDICT], 0
    if _shared[_EVER_WARM]:
        if verdict:
            _wait_before_another(arbiter)
    elif verdict:
        raise HaltServer("The model cannot be served.", verdict)
    else:
        # Not a word from the worker itself: it was killed, as the kernel does where memory ends.
        error = PlatformError(
            "A worker was ended while it loaded the model, most likely because memory ran out: "
            f"there are {available_memory() >> 20} MiB. Give the container more (docker run "
            "--memory, or a larger instance), or start fewer workers "
            "(SAGEMAKER_MODEL_SERVER_WORKERS)."
        )
        logger.error("%s: %s", error.label, error)
        raise HaltServer("The model cannot be served.", error.exit_code)


def _wait_before_another(arbiter: Any) -> None:
    """Or one after the other would load, for nothing and at the expense of those who answer.

    It is the arbiter that waits: a worker that does takes requests, and they would be lost.
    """
    deadline = time.monotonic() + _BEFORE_ANOTHER
    while time.monotonic() < deadline and arbiter.SIG_QUEUE.empty():
        time.sleep(0.1)


def end(_arbiter: Any, worker: Any) -> None:
    """gunicorn's `worker_exit`: lets the inference thread end before the interpreter does."""
    if engine := engine_of(worker):
        engine.stop(_SECONDS_TO_END)


def tell_of_answer(worker: Any, status: int, sent: int) -> None:
    """Counts what gunicorn's worker has answered itself, before the app saw any of it.

    Args:
        worker: gunicorn's.
        status: of the answer.
        sent: bytes of the answer's body.
    """
    worker.wsgi.extensions["told"](Request(None, None, "none"), status, sent)


def engine_of(worker: Any) -> Engine | None:
    """The engine of gunicorn's worker, if that ever got as far as having one."""
    app = getattr(worker, "wsgi", None)
    return app.extensions["engine"] if isinstance(app, Flask) else None
