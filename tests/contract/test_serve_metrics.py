"""`/metrics` of a real server with several workers."""

import os
import signal
import time
from pathlib import Path

import requests

from tests.contract.server import Server
from tests.serving.test_metrics import values_of

COUNTED = ("semseg_requests_total", "invocations", "200")


def folder_of(server: Server) -> Path | None:
    """Where the workers keep their figures, as gunicorn was told."""
    pairs = Path(f"/proc/{server.process.pid}/environ").read_text().split("\0")
    variables = dict(pair.partition("=")[::2] for pair in pairs)
    folder = variables.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None


def figures(server: Server) -> dict[tuple[str, ...], float]:
    answer = requests.get(f"{server.url}/metrics", timeout=60)
    assert answer.status_code == 200
    return values_of(answer.text)


def figures_once(
    server: Server, key: tuple[str, ...], value: float
) -> dict[tuple[str, ...], float]:
    """What the server tells as soon as one of its figures is this; waits for that."""
    deadline = time.monotonic() + 60
    while (values := figures(server)).get(key) != value:
        assert time.monotonic() < deadline, values
        time.sleep(0.02)
    return values


def pids_in(values: dict[tuple[str, ...], float]) -> set[int]:
    return {int(key[1]) for key in values if key[0] == "semseg_model_load_seconds"}


def test_all_workers_are_in_it_and_the_dead_are_not(tmp_path, served_tree, image_file):
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "2"}
    with Server(served_tree, tmp_path / "log", **variables) as server:
        server.wait_until(200)
        server.wait_until_loaded(2)
        for _ in range(4):
            assert server.post(image_file(20, 30)).status_code == 200
        figures_once(server, COUNTED, 4)  # an answer is counted when it has been sent
        asked = [figures(server) for _ in range(8)]  # whichever worker answers
        assert {values[COUNTED] for values in asked} == {4}
        assert asked[-1]["semseg_image_pixels_sum",] == 4 * 600
        workers = pids_in(asked[-1])
        assert len(workers) == 2

        killed = min(workers)
        os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while len(pids_in(figures(server)) - {killed}) < 2:
            assert time.monotonic() < deadline, server.log
            time.sleep(0.2)
        values = figures(server)
        assert killed not in pids_in(values)
        assert values[COUNTED] == 4
        folder = folder_of(server)
        assert folder.parent == Path("/dev/shm")
        assert folder.is_dir()
        assert server.stop() == 0
    assert not folder.exists()


def test_it_is_off_by_one_variable_and_a_line_for_each_request_on_by_another(
    tmp_path, served_tree, image_file
):
    variables = {"SEMSEG_METRICS": "off", "SAGEMAKER_CONTAINER_LOG_LEVEL": "10"}
    with Server(served_tree, tmp_path / "log", **variables) as server:
        server.wait_until(200)
        assert requests.get(f"{server.url}/metrics", timeout=5).status_code == 404
        assert folder_of(server) is None
        assert server.post(image_file(20, 30)).status_code == 200
        deadline = time.monotonic() + 5
        while '"path": "/invocations", "status": 200' not in server.log:
            assert time.monotonic() < deadline, server.log
            time.sleep(0.05)
        assert " DEBUG " in server.log


def test_nothing_is_told_of_requests_at_info_level(server, image_file):
    lines = server.log.count("\n")
    assert server.post(image_file(20, 30)).status_code == 200
    time.sleep(0.3)
    assert server.log.count("\n") == lines
