"""What a full server loses when a worker is killed, or when it is told to stop: nothing more."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from scripts.benchmarks.serving_load import put_under_load
from scripts.local.endpoint import Endpoint
from tests.contract.server import Server

CLIENTS = 8


@dataclass(frozen=True)
class Sent:
    """A request: when it was sent, and what came back, a status or the name of an error."""

    moment: float
    outcome: int | str


def ask_on(server: Server, body: bytes, until: threading.Event, keep_alive: bool) -> list[Sent]:
    """One request after the other, until told to stop or nobody listens."""
    sent = []
    session = requests.Session()
    while not until.is_set():
        moment = time.monotonic()
        headers = {"Accept": "image/png", **({} if keep_alive else {"Connection": "close"})}
        try:
            answer = session.post(
                f"{server.url}/invocations", data=body, headers=headers, timeout=60
            )
            outcome: int | str = answer.status_code
        except requests.ConnectionError as error:
            outcome = "refused" if "Connection refused" in str(error) else repr(error)
        sent.append(Sent(moment, outcome))
        if outcome == "refused":
            break
    session.close()
    return sent


def is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_killed_under_load_is_replaced_and_loses_what_it_held_alone(
    tmp_path, served_tree, image_file, workers
):
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": str(workers)}
    with Server(served_tree, tmp_path / "log", **variables) as server:
        server.wait_until(200)
        server.wait_until_loaded(workers)
        stop = threading.Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [
                pool.submit(ask_on, server, image_file(60, 60 + number), stop, keep_alive=False)
                for number in range(CLIENTS)
            ]
            time.sleep(1.5)
            killed = int(server.log.split("Booting worker with pid: ")[1].split()[0])
            os.kill(killed, signal.SIGKILL)
            while not is_dead(killed):
                time.sleep(0.01)
            death = time.monotonic()
            try:
                server.wait_until_loaded(workers + 1)
                time.sleep(1)
            finally:
                stop.set()
            sent = [request for client in clients for request in client.result()]
        failed = [request for request in sent if request.outcome not in (200, 503)]
        assert len(failed) <= CLIENTS
        assert all(request.moment <= death for request in failed), failed
        assert sum(request.moment > death for request in sent) > CLIENTS
        assert server.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_under_load_loses_nothing_that_was_accepted(
    tmp_path, served_tree, image_file, workers
):
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": workers}
    with Server(served_tree, tmp_path / "log", **variables) as server:
        server.wait_until(200)
        server.wait_until_loaded(int(workers))
        with ThreadPoolExecutor(2 * CLIENTS) as pool:
            clients = [
                pool.submit(
                    ask_on,
                    server,
                    image_file(60, 60 + number),
                    threading.Event(),
                    keep_alive=number % 2 == 0,
                )
                for number in range(2 * CLIENTS)
            ]
            time.sleep(1.5)
            assert server.stop() == 0
            sent = [request for client in clients for request in client.result()]
    outcomes = {request.outcome for request in sent}
    assert outcomes <= {200, 503, "refused"}
    assert sum(request.outcome == 200 for request in sent) > 2 * CLIENTS
    assert "Traceback" not in server.log


@pytest.mark.slow
def test_clients_of_every_kind_for_a_short_while(tmp_path, served_tree):
    with Endpoint(served_tree, tmp_path / "log") as endpoint:
        seen, problems = put_under_load(endpoint, seconds=6, clients=3, largest=100)

    # how quick /ping is, and what becomes of the memory, is for a quiet machine and a longer run
    assert [
        problem for problem in problems if "/ping" not in problem and "memory" not in problem
    ] == []
    assert seen["answers"]["ask: 200"] > 0
    assert "Traceback" not in (tmp_path / "log").read_text()
