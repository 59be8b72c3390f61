"""What a full server loses when a worker is killed, or when it is told to stop: nothing more."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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


def ask_on(
    server: Server, body: bytes, keep_alive: bool, sent: list[Sent], stop: threading.Event
) -> None:
    """One request after the other, each noted once it has ended, until `stop` or nobody listens."""
    session = requests.Session()
    while not stop.is_set():
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


@contextmanager
def load(server: Server, bodies: list[bytes], kept_alive: int = 0) -> Iterator[list[Sent]]:
    """A client for each body, the first few on one connection; all that has ended by now."""
    sent: list[Sent] = []
    stop = threading.Event()
    with ThreadPoolExecutor(len(bodies)) as pool:
        clients = [
            pool.submit(ask_on, server, body, number < kept_alive, sent, stop)
            for number, body in enumerate(bodies)
        ]
        try:
            yield sent
        finally:
            stop.set()
        for client in clients:
            client.result()


def wait_for_more_answers_than(number: int, sent: list[Sent], since: float = 0) -> None:
    """How soon so many come, of those sent after a moment, is for the machine to say."""
    deadline = time.monotonic() + 120
    while sum(one.outcome == 200 and one.moment > since for one in list(sent)) <= number:
        assert time.monotonic() < deadline, sent
        time.sleep(0.05)


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
    bodies = [image_file(60, 60 + number) for number in range(CLIENTS)]
    with Server(served_tree, tmp_path / "log", **variables) as server:
        server.wait_until(200)
        server.wait_until_loaded(workers)
        with load(server, bodies) as sent:
            wait_for_more_answers_than(CLIENTS, sent)
            killed = int(server.log.split("Booting worker with pid: ")[1].split()[0])
            os.kill(killed, signal.SIGKILL)
            while not is_dead(killed):
                time.sleep(0.01)
            death = time.monotonic()
            server.wait_until_loaded(workers + 1)
            wait_for_more_answers_than(CLIENTS, sent, since=death)
        failed = [request for request in sent if request.outcome not in (200, 503)]
        assert len(failed) <= CLIENTS
        assert all(request.moment <= death for request in failed), failed
        assert server.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_under_load_loses_nothing_that_was_accepted(
    tmp_path, served_tree, image_file, workers
):
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": workers}
    bodies = [image_file(60, 60 + number) for number in range(2 * CLIENTS)]
    with Server(served_tree, tmp_path / "log", **variables) as server:
        server.wait_until(200)
        server.wait_until_loaded(int(workers))
        with load(server, bodies, kept_alive=CLIENTS) as sent:
            wait_for_more_answers_than(2 * CLIENTS, sent)
            assert server.stop() == 0
    assert {request.outcome for request in sent} <= {200, 503, "refused"}
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
