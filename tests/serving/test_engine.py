import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest

from semseg.serving.engine import Closed, Engine, HungUp

from .conftest import FakePredictor, Pixels, fail, wait_for


def image(height: int, width: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_it_is_ready_only_once_the_predictor_is_warm(predictor):
    may_load = threading.Event()

    def load() -> FakePredictor:
        may_load.wait(10)
        return predictor

    engine = Engine()
    engine.start(load, fail)

    assert not engine.ready
    may_load.set()
    wait_for(lambda: engine.ready)
    assert predictor.warm
    engine.stop(10)


def test_one_thread_answers_all_clients(engine, predictor):
    sizes = [(2 + n, 3) for n in range(40)]
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda size: engine.submit("mask", image(*size)), sizes))

    assert [answer.values.shape for answer in answers] == sizes
    assert len(predictor.threads) == 1
    assert threading.get_ident() not in predictor.threads


def test_images_are_answered_in_the_order_they_came_in(engine, predictor):
    predictor.go_on.clear()
    sizes = [(2 + n, 3) for n in range(12)]
    with ThreadPoolExecutor(len(sizes)) as clients:
        for waiting, size in enumerate(sizes):
            clients.submit(engine.submit, "mask", image(*size))
            # the first one is taken out of the queue at once
            wait_for(lambda waiting=waiting: engine._jobs.qsize() == waiting)
        predictor.go_on.set()

    assert predictor.images == [(*size, 3) for size in sizes]


def test_probabilities_are_answered_too(engine):
    assert engine.submit("probabilities", image(2, 3)).values.shape == (3, 2, 3)


def test_a_failing_image_concerns_only_whom_it_belongs_to(engine, predictor, monkeypatch):
    def burst(_image):
        raise ArithmeticError("no such luck")

    with monkeypatch.context() as patch:
        patch.setattr(predictor, "mask", burst)
        with pytest.raises(ArithmeticError):
            engine.submit("mask", image(2, 3))

    assert engine.submit("mask", image(2, 3)).values.shape == (2, 3)
    assert engine.ready


def test_an_image_whose_client_is_gone_costs_nothing(engine, predictor):
    with pytest.raises(HungUp):
        engine.submit("mask", image(2, 3), gone=lambda: True)

    assert not predictor.images
    assert engine.submit("mask", image(2, 3), gone=lambda: False).values.shape == (2, 3)


@pytest.mark.parametrize("step", ["load", "warm_up"])
def test_a_predictor_that_does_not_load_is_given_up(predictor, step):
    def burst():
        raise ArithmeticError("no such luck")

    reasons = []
    engine = Engine()
    predictor.warm_up = burst
    engine.start(burst if step == "load" else lambda: predictor, reasons.append)
    engine.stop(10)

    assert [str(reason) for reason in reasons] == ["no such luck"]
    assert not engine.ready


def test_what_is_queued_is_answered_before_the_end(engine, predictor):
    predictor.go_on.clear()
    with ThreadPoolExecutor(3) as clients:
        answers = [clients.submit(engine.submit, "mask", image(2, 3)) for _ in range(3)]
        wait_for(lambda: engine._jobs.qsize() >= 2)
        predictor.go_on.set()
        engine.stop(10)

    assert all(answer.result().values.shape == (2, 3) for answer in answers)


def test_once_closed_only_the_image_at_hand_is_answered(engine, predictor):
    predictor.go_on.clear()
    with ThreadPoolExecutor(4) as clients:
        first = clients.submit(engine.submit, "mask", image(2, 3))
        wait_for(lambda: engine._jobs.qsize() == 0)
        waiting = [clients.submit(engine.submit, "mask", image(2, 3)) for _ in range(3)]
        wait_for(lambda: engine._jobs.qsize() == 3)
        engine.close()
        for one in waiting:
            with pytest.raises(Closed):
                one.result(10)
        with pytest.raises(Closed):
            engine.submit("mask", image(2, 3))
        assert not first.done()
        predictor.go_on.set()
        assert first.result(10).values.shape == (2, 3)
    engine.stop(10)
    engine.close()
    assert not engine._thread.is_alive()


def test_one_that_stops_already_may_be_closed(engine, predictor):
    predictor.go_on.clear()
    with ThreadPoolExecutor(1) as clients:
        first = clients.submit(engine.submit, "mask", image(2, 3))
        wait_for(lambda: engine._jobs.qsize() == 0)
        engine.stop(0)
        engine.close()
        predictor.go_on.set()
        first.result(10)
    engine._thread.join(10)
    assert not engine._thread.is_alive()


@pytest.mark.parametrize("fault", [None, HungUp, ArithmeticError, Closed])
def test_it_keeps_no_image_after_the_answer(
    engine, predictor, monkeypatch, without_a_collector, fault
):
    def burst(_image):
        raise ArithmeticError("no such luck")

    if fault is ArithmeticError:
        monkeypatch.setattr(predictor, "mask", burst)
    if fault is Closed:
        engine.close()
    pixels = image(2, 3).view(Pixels)
    kept = weakref.ref(pixels)
    with pytest.raises(fault) if fault else nullcontext():
        engine.submit("mask", pixels, gone=lambda: fault is HungUp)
    del pixels
    wait_for(lambda: kept() is None)
