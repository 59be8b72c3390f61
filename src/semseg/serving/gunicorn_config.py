"""gunicorn's settings: its names, our values. gunicorn reads this module when it starts."""

import os
import signal
import sys
from typing import Any

from semseg.sagemaker.logs import configure_logging
from semseg.serving.settings import Settings
from semseg.serving.worker import end, halt_where_none_can_live

_settings = Settings.from_environment(os.environ)

wsgi_app = "semseg.serving.worker:application()"
bind = f"0.0.0.0:{_settings.port}"
workers = _settings.workers
threads = _settings.threads
timeout = _settings.timeout
worker_class = "semseg.serving.http_worker.HttpWorker"

# MXNet must not be there before the fork.
preload_app = False

# SageMaker sends SIGKILL 30 seconds after SIGTERM.
graceful_timeout = 25

# Longer than the pauses of a client that sends one image after the other.
keepalive = 60

# A heartbeat on a disk can block; a read-only root has no other place.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

accesslog = None
control_socket_disable = True


def on_starting(_arbiter: Any) -> None:
    """The arbiter logs in the same form as its workers."""
    configure_logging()


def when_ready(_arbiter: Any) -> None:
    """Lets in the SIGTERM that `semseg.serve` has kept waiting, before there are any workers."""
    if signal.SIGTERM in signal.sigpending():
        sys.exit(0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


worker_exit = end
child_exit = halt_where_none_can_live
