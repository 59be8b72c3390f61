import json
import logging
import os
import signal
import time
from queue import SimpleQueue
from types import SimpleNamespace

import pytest
from gunicorn.errors import HaltServer

from semseg.inference import predictor
from semseg.sagemaker.errors import CustomerError, PlatformError
from semseg.serving import worker
from semseg.serving.app import create_app
from semseg.serving.memory import WorkerMemory
from semseg.serving.settings import Settings


@pytest.fixture
def left_with(monkeypatch) -> list[int]:
    """The exit codes the process would have left with."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(worker, "_shared", bytearray(2))
    return codes


@pytest.mark.parametrize(
    ("precision", "ever_warm", "check", "proven"),
    [
        ("float32", False, True, False),
        ("int8", False, True, False),
        ("int8", True, True, True),
        ("int8", False, False, True),
        ("float16", False, True, False),
    ],
)
def test_the_predictor_gets_what_the_settings_and_the_memory_say(
    monkeypatch, precision, ever_warm, check, proven
):
    made = []
    monkeypatch.setattr(predictor, "Predictor", lambda *given, **named: made.append((given, named)))
    monkeypatch.setattr(worker, "read_thresholds", lambda artifact: f"of {artifact.parameters}")
    monkeypatch.setattr(worker, "_shared", bytearray((0, ever_warm)))
    artifact = SimpleNamespace(parameters="file", architecture=SimpleNamespace(algorithm="psp"))

    worker.load_predictor(artifact, Settings(precision=precision, precision_check=check, workers=2))

    assert made == [
        (
            (artifact,),
            {
                "thresholds": "of file" if precision == "int8" else None,
                "affordable": WorkerMemory(2, Settings().max_payload_bytes).pixels_at_once("psp"),
                "float16": precision == "float16",
                "proven": proven,
            },
        )
    ]


@pytest.mark.parametrize(
    ("problem", "sentence", "code"),
    [
        (CustomerError("The file is broken."), "Customer Error: The file is broken.", 2),
        (ArithmeticError("no luck"), "Algorithm Error: no luck", 1),
    ],
)
def test_a_worker_without_a_model_says_why_and_ends_the_server(
    left_with, caplog, problem, sentence, code
):
    with caplog.at_level(logging.ERROR):
        worker.give_up(problem)

    assert caplog.messages == [sentence]
    assert left_with == [1]
    with pytest.raises(HaltServer) as halt:
        worker.halt_where_none_can_live(SimpleNamespace(LISTENERS=["socket"]), None)
    assert halt.value.exit_status == code


def test_a_traceback_is_for_our_own_faults_alone(left_with, caplog):
    worker.give_up(CustomerError("The file is broken."))
    assert caplog.records[-1].exc_info is None

    worker.give_up(ArithmeticError("no luck"))
    assert caplog.records[-1].exc_info is not None


def test_the_second_worker_to_give_up_does_not_disturb_the_end(left_with):
    worker.give_up(CustomerError("The file is broken."))

    worker.halt_where_none_can_live(SimpleNamespace(LISTENERS=[]), None)


def test_a_worker_killed_while_it_loads_ends_the_server_with_a_sentence(left_with, caplog):
    with pytest.raises(HaltServer) as halt:
        worker.halt_where_none_can_live(SimpleNamespace(LISTENERS=["socket"]), None)

    assert halt.value.exit_status == PlatformError.exit_code
    [sentence] = caplog.messages
    assert "memory ran out" in sentence


def test_a_worker_killed_once_the_model_has_answered_leaves_the_server_alone(left_with):
    worker.tell_warm()

    worker.halt_where_none_can_live(SimpleNamespace(LISTENERS=["socket"]), None)


def arbiter(*signals: int) -> SimpleNamespace:
    queue: SimpleQueue[int] = SimpleQueue()
    for number in signals:
        queue.put(number)
    return SimpleNamespace(LISTENERS=["socket"], SIG_QUEUE=queue)


def test_once_the_model_has_answered_no_other_worker_s_verdict_ends_the_server(left_with):
    worker.tell_warm()
    worker.give_up(CustomerError("It is slower today."))

    started = time.monotonic()
    worker.halt_where_none_can_live(arbiter(signal.SIGTERM), None)
    assert time.monotonic() - started < 1  # somebody wants something of the arbiter


def test_only_who_gave_up_is_not_replaced_at_once(left_with, monkeypatch):
    monkeypatch.setattr(worker, "_BEFORE_ANOTHER", 0.3)
    worker.tell_warm()
    worker.give_up(CustomerError("It is slower today."))

    started = time.monotonic()
    worker.halt_where_none_can_live(arbiter(), None)
    assert time.monotonic() - started >= 0.3
    monkeypatch.setattr(worker, "_BEFORE_ANOTHER", 30.0)
    worker.halt_where_none_can_live(arbiter(), None)  # another, which was killed
    assert time.monotonic() - started < 20


def test_what_goes_wrong_before_the_model_is_loaded_is_told_like_the_rest(
    left_with, monkeypatch, caplog
):
    """gunicorn would end the server over it, healthy workers and all."""
    monkeypatch.setenv("SAGEMAKER_MODEL_SERVER_WORKERS", "two")
    with pytest.raises(CustomerError):  # for want of a process to end
        worker.application()

    assert left_with == [1]
    assert "SAGEMAKER_MODEL_SERVER_WORKERS" in caplog.text


def test_the_inference_thread_ends_with_its_worker(engine):
    app = create_app(engine, Settings())
    app.extensions["engine"] = engine

    worker.end(None, SimpleNamespace(wsgi=app))

    assert not engine._thread.is_alive()


def test_a_worker_that_never_had_an_app_ends_too():
    worker.end(None, SimpleNamespace())


def test_what_gunicorn_s_worker_answers_itself_is_counted_and_told(engine, caplog):
    app = create_app(engine, Settings())

    with caplog.at_level(logging.DEBUG, "semseg.serving.app"):
        worker.tell_of_answer(SimpleNamespace(wsgi=app), 503, 86)

    line = json.loads(caplog.messages[-1])
    assert (line["method"], line["path"], line["status"], line["bytes"]) == (None, None, 503, 86)
    counted = app.test_client().get("/metrics").text
    assert 'semseg_requests_total{route="none",status="503"} 1.0' in counted
