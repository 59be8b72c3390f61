"""gunicorn's settings: its names, our values. gunicorn reads this module when it starts."""

import os
import signal
import sys
from typing import Any

from semseg.container import folder_in_memory
from semseg.sagemaker.logs import configure_logging
from semseg.serving import metrics_folder
from semseg.serving.memory import WorkerMemory
from semseg.serving.metrics import forget
from semseg.serving.settings import Settings
from semseg.serving.stopping import StoppingHttpWorker
from semseg.serving.worker import end, halt_where_none_can_live, tell_of_answer

_settings = Settings.from_environment(os.environ)

wsgi_app = "semseg.serving.worker:application()"
bind = f"0.0.0.0:{_settings.port}"
workers = _settings.workers
threads = _settings.threads
timeout = _settings.timeout


class BoundedHttpWorker(StoppingHttpWorker):
    """Takes no longer bodies, and holds no more for slow clients, than there is memory for."""

    most_body = _settings.max_payload_bytes
    most_waiting = WorkerMemory(_settings.workers, _settings.max_payload_bytes).waiting().requests

    def tell(self, status: int, sent: int) -> None:
        """What is answered without the app is counted like the rest."""
        tell_of_answer(self, status, sent)


worker_class = BoundedHttpWorker


# MXNet must not be there before the fork.
preload_app = False

# SageMaker sends SIGKILL 30 seconds after SIGTERM.
graceful_timeout = 25

# Longer than the pauses of a client that sends one image after the other.
keepalive = 60

# A heartbeat on a disk can block; a read-only root has no other place.
worker_tmp_dir = folder_in_memory()

accesslog = None
control_socket_disable = True


def on_starting(_arbiter: Any) -> None:
    """The arbiter logs in the same form as its workers."""
    configure_logging(_settings.log_level)


def when_ready(arbiter: Any) -> None:
    """Lets in the SIGTERM that `semseg.serve` has kept waiting, before there are any workers."""
    if signal.SIGTERM in signal.sigpending():
        on_exit(arbiter)
        sys.exit(0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def child_exit(arbiter: Any, worker: Any) -> None:
    """A worker has ended: what of its figures dies with it, and whether the server does."""
    forget(_settings.metrics_folder, worker.pid)
    halt_where_none_can_live(arbiter, worker)


def on_exit(_arbiter: Any) -> None:
    """Leaves no figures behind: the next server counts from zero."""
    if _settings.metrics_folder is not None:
        metrics_folder.remove(_settings.metrics_folder)


worker_exit = end
