import errno
import json
import logging
import os
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from semseg.serving.app import create_app
from semseg.serving.engine import Engine
from semseg.serving.metrics import Metrics, Request
from semseg.serving.settings import Settings

from .conftest import fail, image_file, wait_for

IMAGE = image_file(6, 9)


def values_of(text: str) -> dict[tuple[str, ...], float]:
    """Each sample's value, by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def app(predictor, metrics):
    engine = Engine(metrics)
    engine.start(lambda: predictor, fail)
    wait_for(lambda: engine.ready)
    yield create_app(engine, Settings(max_pixels=10_000), metrics)
    predictor.go_on.set()
    engine.stop(10)


def ask(app, path: str = "/metrics", **options) -> str:
    with app.test_client() as client, client.open(path, **options) as response:
        return response.get_data().decode(errors="replace")


def test_it_is_prometheus_text(app):
    with app.test_client().get("/metrics") as response:
        assert response.status_code == 200
        assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
        assert values_of(response.text)


def test_requests_are_counted_by_route_and_status(app):
    with app.test_client() as client:
        for body in [IMAGE, IMAGE, b"no image"]:
            client.post("/invocations", data=body).close()
        client.post("/endpoints/a/invocations", data=IMAGE).close()
        client.get("/ping").close()
        client.get("/nowhere").close()
        client.put("/ping").close()

    values = values_of(ask(app))
    requests = {key[1:]: value for key, value in values.items() if "requests_total" in key[0]}
    assert requests == {
        ("invocations", "200"): 3,
        ("invocations", "415"): 1,
        ("ping", "200"): 1,
        ("none", "404"): 1,
        ("none", "405"): 1,
    }


def test_every_stage_of_an_image_is_timed_and_its_pixels_counted(app):
    ask(app, "/invocations", method="POST", data=IMAGE)

    values = values_of(ask(app))
    for stage in ("decode", "queue", "forward", "encode"):
        assert values["semseg_stage_seconds_count", stage] == 1
        assert values["semseg_stage_seconds_sum", stage] >= 0
    assert values["semseg_image_pixels_count",] == 1
    assert values["semseg_image_pixels_sum",] == 54
    assert values["semseg_model_load_seconds",] > 0
    assert values["semseg_resident_memory_bytes",] > 1_000_000


def test_a_worker_without_a_file_left_to_open_still_answers(app, monkeypatch):
    def no_file() -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("semseg.serving.metrics._resident_bytes", no_file)
    ask(app, "/invocations", method="POST", data=IMAGE)
    assert values_of(ask(app))["semseg_image_pixels_count",] == 1


def test_what_waits_for_the_network_is_told(app, predictor):
    from concurrent.futures import ThreadPoolExecutor

    predictor.go_on.clear()
    with ThreadPoolExecutor(3) as clients:
        for _ in range(3):
            clients.submit(ask, app, "/invocations", method="POST", data=IMAGE)
        wait_for(lambda: values_of(ask(app))["semseg_queue_length",] == 2)
        predictor.go_on.set()
    assert values_of(ask(app))["semseg_queue_length",] == 0


def test_it_can_be_switched_off(engine):
    app = create_app(engine, Settings(metrics=False))

    with app.test_client().get("/metrics") as response:
        assert response.status_code == 404


def test_a_request_is_one_line_of_json_at_debug_level_and_none_above(app, caplog):
    with caplog.at_level(logging.INFO, "semseg"):
        ask(app, "/invocations", method="POST", data=IMAGE)
    assert not caplog.messages

    with caplog.at_level(logging.DEBUG, "semseg"):
        ask(app, "/invocations", method="POST", data=IMAGE, headers={"Accept": "image/png"})
        ask(app, "/invocations", method="POST", data=b"no image")
    served, refused = map(json.loads, caplog.messages)
    assert (served["method"], served["path"], served["status"]) == ("POST", "/invocations", 200)
    assert served["pixels"] == 54
    assert served["bytes"] > 50
    stages = {"decode", "queue", "forward", "encode", "total"}
    assert served["seconds"].keys() == stages
    assert (refused["status"], refused["pixels"]) == (415, None)


WORKER = """
import sys, os
from pathlib import Path
from semseg.serving.metrics import Metrics, Request, forget
folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
metrics = Metrics(folder)
metrics.loaded(1.5)
metrics.answered(Request("POST", "/invocations", "invocations", 100, {"forward": 2.0}), 200)
metrics.queued()
print(os.getpid(), flush=True)
sys.stdin.read()
"""


def test_the_figures_of_all_workers_are_added_and_the_dead_leave_what_they_counted(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    pids = [int(worker.stdout.readline()) for worker in workers]

    def tell(then: str = "") -> dict[tuple[str, ...], float]:
        code = (
            "from pathlib import Path; from semseg.serving.metrics import Metrics, forget; "
            f"folder = Path({str(tmp_path)!r}); {then}; print(Metrics(folder).text().decode())"
        )
        text = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return values_of(text)

    both = tell("pass")
    for worker in workers:
        worker.communicate()
    one = tell(f"forget(folder, {pids[0]})")

    for values, alive in ((both, pids), (one, pids[1:])):
        assert values["semseg_requests_total", "invocations", "200"] == 2
        assert values["semseg_stage_seconds_sum", "forward"] == 4
        assert values["semseg_image_pixels_count",] == 2
        assert values["semseg_queue_length",] == len(alive)
        for pid in pids:
            assert (("semseg_model_load_seconds", str(pid)) in values) == (pid in alive)
            assert (("semseg_resident_memory_bytes", str(pid)) in values) == (pid in alive)


def test_a_stage_that_fails_is_timed_too():
    request = Request("POST", "/", "none")

    with pytest.raises(ArithmeticError), request.timed("decode"):
        raise ArithmeticError

    assert request.seconds.keys() == {"decode"}
