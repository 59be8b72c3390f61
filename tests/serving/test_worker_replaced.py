"""gunicorn with our hooks and a model that loads in a moment: who takes a dead worker's place."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from .conftest import wait_for

APP = """
import os
from pathlib import Path

from flask import Flask
from semseg.sagemaker.errors import CustomerError
from semseg.serving import worker
from semseg.serving.engine import Engine

workers = 2
worker_class = "semseg.serving.http_worker.HttpWorker"
child_exit = worker.halt_where_none_can_live
worker_exit = worker.end

class Loaded:
    def warm_up(self):
        pass

def load():
    with Path("tries").open("a") as tries:
        print(os.getpid(), file=tries)
    if Path("noisy").exists():
        raise CustomerError("It is slower today.")
    return Loaded()

def application():
    engine = Engine()
    engine.start(load, worker.give_up, worker.tell_warm)
    app = Flask(__name__)
    app.extensions["engine"] = engine
    app.get("/")(lambda: (str(os.getpid()), 200 if engine.ready else 503))
    return app
"""


def healthy(url: str) -> set[int]:
    """The workers that answer."""
    pids = set()
    for _ in range(10):
        try:
            answer = requests.get(url, headers={"Connection": "close"}, timeout=5)
        except requests.ConnectionError:  # one that gives up loses what it has
            continue
        if answer.status_code == 200:
            pids.add(int(answer.text))
    return pids


def two_healthy(url: str) -> set[int]:
    pids: set[int] = set()
    wait_for(lambda: pids.update(healthy(url)) or len(pids) == 2, 30)
    return pids


def test_one_that_cannot_load_today_takes_nobody_with_it_and_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    command = [
        *(sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "critical"),
        *("--config", "app.py", "--threads", "2", "--bind", f"127.0.0.1:{port}"),
        "app:application()",
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    noisy = tmp_path / "noisy"

    def tries() -> int:
        return len((tmp_path / "tries").read_text().splitlines())

    server = subprocess.Popen(command, cwd=tmp_path, env=environment)
    try:
        killed, survivor = two_healthy(url)
        noisy.touch()
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: tries() == 3, 30)
        time.sleep(2)
        assert tries() == 3
        assert server.poll() is None
        assert healthy(url) == {survivor}

        noisy.unlink()
        assert survivor in two_healthy(url)
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
    finally:
        server.kill()
        server.wait()
