"""What a gunicorn worker does once it has been forked: start the engine, then answer HTTP.

MXNet must not be imported before the fork, and not by two threads, so nothing here imports it but
the engine's own thread.
"""

import logging
import mmap
import os
import sys
from typing import Any

from flask import Flask
from gunicorn.errors import HaltServer

from semseg.networks.artifact import read_artifact
from semseg.sagemaker.errors import AlgorithmError, SemsegError
from semseg.sagemaker.logs import configure_logging
from semseg.sagemaker.tree import Tree
from semseg.serving.app import create_app
from semseg.serving.engine import Engine
from semseg.serving.engine import Predictor as AnyPredictor
from semseg.serving.settings import Settings

logger = logging.getLogger(__name__)

# The exit code of a worker that gave up, in memory that it shares with gunicorn's arbiter. (The
# arbiter knows an exit code of its own for this, but stumbles when two workers leave with it.)
_verdict = mmap.mmap(-1, 1)

# Below gunicorn's graceful timeout, after which the worker is killed.
_SECONDS_TO_END = 10


def application() -> Flask:
    """gunicorn's `wsgi_app`: called in every worker."""
    configure_logging()
    settings = Settings.from_environment(os.environ)
    engine = Engine()
    engine.start(load_predictor, give_up)
    app = create_app(engine, settings)
    app.extensions["engine"] = engine
    return app


def load_predictor() -> AnyPredictor:
    """The predictor of the artifact in `/opt/ml/model`, told of in the original's words.

    Raises:
        CustomerError: if the artifact cannot be served.
    """
    artifact = read_artifact(Tree.from_environment(os.environ).model)
    logger.info("loading model...")
    import mxnet as mx  # here, in the engine's thread, for the first time

    from semseg.inference.predictor import Predictor

    logger.info("Number of GPUs being used: %d", min(1, mx.context.num_gpus()))
    logger.info("Loading weights from %s", artifact.parameters)
    predictor = Predictor(artifact)
    logger.info("...model loaded.")
    return predictor


def give_up(problem: Exception) -> None:
    """Says why, and ends the worker; `halt_where_one_gave_up` then ends the server."""
    error = problem if isinstance(problem, SemsegError) else AlgorithmError(str(problem))
    logger.error("%s: %s", error.label, error, exc_info=None if error is problem else problem)
    sys.stdout.flush()
    _verdict[0] = error.exit_code
    os._exit(1)  # from a thread, sys.exit would end the thread alone


def halt_where_one_gave_up(arbiter: Any, _worker: Any) -> None:
    """gunicorn's `child_exit`: a model that cannot be loaded will not load in another worker.

    Raises:
        HaltServer: with the exit code for the whole server.
    """
    halting_already = not arbiter.LISTENERS
    if _verdict[0] and not halting_already:
        raise HaltServer("The model cannot be served.", _verdict[0])


def end(_arbiter: Any, worker: Any) -> None:
    """gunicorn's `worker_exit`: lets the inference thread end before the interpreter does."""
    application = getattr(worker, "wsgi", None)
    if isinstance(application, Flask):
        application.extensions["engine"].stop(_SECONDS_TO_END)
