"""gunicorn with our worker and a predictor that waits: what becomes of clients when it stops."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from semseg.serving.stopping import SECONDS_FOR_ANSWERS

from .conftest import image_file, wait_for

APP = """
import time
from pathlib import Path
from semseg.serving.app import create_app
from semseg.serving.engine import Engine
from semseg.serving.metrics import Metrics
from semseg.serving.settings import Settings

class Patient:
    def warm_up(self):
        pass

    def mask(self, image):
        while not Path("go-on").exists():
            time.sleep(0.01)
        return image[..., 0]

metrics = Metrics()
engine = Engine(metrics)
engine.start(Patient, print)
app = create_app(engine, Settings(), metrics)
app.extensions["engine"] = engine
"""
IMAGE = image_file(6, 9)
GRACE = SECONDS_FOR_ANSWERS + 2


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            return requests.get(f"{url}/ping", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    return ask


def waiting(url: str) -> int:
    [line] = [
        line
        for line in requests.get(f"{url}/metrics", timeout=5).text.splitlines()
        if line.startswith("semseg_queue_length ")
    ]
    return int(float(line.split()[1]))


def test_who_waits_when_time_is_over_is_told_so_and_who_is_at_hand_is_answered(tmp_path: Path):
    (tmp_path / "patient.py").write_text(APP)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "critical"),
        *("--worker-class", "semseg.serving.stopping.StoppingHttpWorker", "--threads", "8"),
        *("--graceful-timeout", f"{GRACE:.0f}", "--bind", f"127.0.0.1:{port}", "patient:app"),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)

    def post() -> requests.Response:
        return requests.post(
            f"{url}/invocations", data=IMAGE, headers={"Accept": "image/png"}, timeout=60
        )

    server = subprocess.Popen(command, cwd=tmp_path, env=environment)
    try:
        wait_for(answers(url), 30)
        with ThreadPoolExecutor(4) as clients:
            asked = [clients.submit(post) for _ in range(4)]
            try:
                wait_for(lambda: waiting(url) == 3)
                server.send_signal(signal.SIGTERM)
                wait_for(lambda: sum(one.done() for one in asked) == 3, GRACE)
            finally:
                (tmp_path / "go-on").touch()
        said = sorted((one.result() for one in asked), key=lambda answer: answer.status_code)
        assert [answer.status_code for answer in said] == [200, 503, 503, 503]
        for refused in said[1:]:
            assert refused.headers["Retry-After"] == "5"
            assert "stops before the turn" in refused.text
        assert server.wait(GRACE) == 0
    finally:
        server.kill()
        server.wait()
