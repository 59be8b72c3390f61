"""How `serve` begins and ends."""

import http.client
import select
import shutil
import socket
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests

from tests.contract.server import Server
from tests.contract.test_serve_metrics import figures_once


def nothing(tree: Path) -> None:
    pass


def an_empty_folder(tree: Path) -> None:
    (tree / "model").mkdir()


def a_foreign_model(tree: Path) -> None:
    (tree / "model").mkdir()
    (tree / "model" / "xgboost-model").write_bytes(b"binf")


def half_a_model(tree: Path, whole: Path) -> None:
    shutil.copytree(whole / "model", tree / "model")
    parameters = tree / "model" / "model_best.params"
    with parameters.open("r+b") as file:
        file.truncate(parameters.stat().st_size // 2)


def no_configuration(tree: Path, whole: Path) -> None:
    (tree / "model").mkdir()
    (tree / "model" / "model_best.params").symlink_to(whole / "model" / "model_best.params")


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (nothing, "does not exist"),
        (an_empty_folder, "The folder is empty"),
        (a_foreign_model, "xgboost-model"),
        (half_a_model, "cut short"),
        (no_configuration, "hyperparams.json is missing"),
    ],
)
def test_a_model_that_cannot_be_served_ends_it_at_once(tmp_path, served_tree, model, sentence):
    tree = tmp_path / "ml"
    tree.mkdir()
    model(tree, *([served_tree] if "whole" in model.__annotations__ else []))

    with Server(tree, tmp_path / "log") as server:
        assert server.wait(10) == 2

    assert sentence in server.log
    assert str(tree / "model") in server.log
    assert "Traceback" not in server.log
    assert "gunicorn" not in server.log


def test_a_malformed_environment_ends_it_at_once(tmp_path, served_tree):
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "two", "SEMSEG_MAX_PIXELS": "0"}

    with Server(served_tree, tmp_path / "log", **variables) as server:
        assert server.wait(10) == 2

    for name in variables:
        assert name in server.log
    assert "Traceback" not in server.log


def test_a_port_in_use_ends_it_at_once(tmp_path, served_tree):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        variables = {"SAGEMAKER_BIND_TO_PORT": str(other.getsockname()[1])}
        with Server(served_tree, tmp_path / "log", **variables) as server:
            assert server.wait(10) == 2

    assert "Address already in use" in server.log
    assert "Traceback" not in server.log


@pytest.mark.parametrize("workers", ["1", "2"])
def test_parameters_that_do_not_load_end_the_whole_server(tmp_path, served_tree, workers):
    import mxnet as mx

    model = tmp_path / "model"
    shutil.copytree(served_tree / "model", model)
    parameters = str(model / "model_best.params")
    arrays = mx.nd.load(parameters)
    arrays["layer3.2.conv2.weight"] = mx.nd.zeros((1, 2, 3, 3))
    mx.nd.save(parameters, arrays)

    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": workers}
    with Server(tmp_path, tmp_path / "log", **variables) as server:
        assert server.wait(60) == 2

    assert "Customer Error: " in server.log
    assert "model_best.params can't be loaded" in server.log
    assert server.log.count("Booting worker") <= int(workers)
    assert "Traceback" not in server.log


@pytest.mark.parametrize(("clients", "side"), [(1, 300), (8, 150)])
def test_sigterm_lets_all_that_have_asked_be_answered(
    tmp_path, served_tree, image_file, clients, side
):
    bodies = [image_file(side + number, side) for number in range(clients)]
    with Server(served_tree, tmp_path / "log") as server, ExitStack() as stack:
        server.wait_until(200)
        asked = []
        for body in bodies:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            asked.append(stack.enter_context(closing(connection)))
            connection.request("POST", "/invocations", body, {"Accept": "image/png"})
        answered, _, _ = select.select([connection.sock for connection in asked], [], [], 0)
        assert len(answered) < clients
        assert server.stop() == 0

        assert [connection.getresponse().status for connection in asked] == [200] * clients


@pytest.mark.parametrize("seconds", [0, 0.1, 0.2, 0.4])
def test_sigterm_before_it_serves_ends_it_soon(tmp_path, served_tree, seconds):
    """While gunicorn takes over the process and is not yet ready for signals."""
    with Server(served_tree, tmp_path / "log") as server:
        while "Serving " not in server.log:
            assert server.process.poll() is None, server.log
            time.sleep(0.005)
        time.sleep(seconds)
        assert server.stop() == 0

    assert "Traceback" not in server.log


def test_sigterm_while_the_model_loads(tmp_path, served_tree):
    with Server(served_tree, tmp_path / "log") as server:
        server.wait_until(503)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 30


def test_sigterm_does_not_wait_for_silent_clients(tmp_path, served_tree):
    with Server(served_tree, tmp_path / "log") as server:
        server.wait_until(200)
        with socket.create_connection(("127.0.0.1", server.port)):
            time.sleep(0.5)
            started = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - started < 10


def seconds_of_the_only_forward(server: Server) -> float:
    """What the server has told of it, which may be a moment after the client has its answer."""
    values = figures_once(server, ("semseg_stage_seconds_count", "forward"), 1)
    return values["semseg_stage_seconds_sum", "forward"]


@pytest.mark.slow
def test_a_forward_longer_than_the_timeout_costs_no_worker(tmp_path, served_tree, image_file):
    # Three quarters of a million million multiplications in one thread: no CPU does that in 2 s.
    variables = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "2", "OMP_NUM_THREADS": "1"}
    with Server(served_tree, tmp_path / "log", **variables) as server:
        server.wait_until(200)
        answer = server.post(image_file(1000, 1000))

        assert answer.status_code == 200
        assert seconds_of_the_only_forward(server) > 2
        assert server.log.count("Booting worker") == 1


@pytest.mark.slow
def test_two_workers_share_the_requests_and_a_killed_one_is_replaced(
    tmp_path, served_tree, image_file
):
    import os
    import signal

    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": "2", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "20"}
    with Server(served_tree, tmp_path / "log", **variables) as server:
        server.wait_until(200)
        parameters = requests.get(f"{server.url}/execution-parameters", timeout=5).json()
        assert parameters["MaxConcurrentTransforms"] == 2
        assert parameters["MaxPayloadInMB"] == 20

        server.wait_until_loaded(2)
        first = int(server.log.split("Booting worker with pid: ")[1].split()[0])
        os.kill(first, signal.SIGKILL)
        server.wait_until_loaded(3)
        server.wait_until(200)
        assert server.post(image_file(20, 20)).status_code == 200
        assert server.stop() == 0
