from types import SimpleNamespace

import pytest

from semseg.serving import pace
from semseg.serving.pace import SLOWEST, STALL, Pace


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_a_client_may_pause_for_a_while(clock):
    own = Pace()
    assert own.deadline == 100 + STALL

    clock.now = 115
    own.move(1_000_000)
    assert own.deadline == 115 + STALL


def test_one_that_never_pauses_must_not_be_all_too_slow(clock):
    own = Pace()
    while clock.now < own.deadline:
        clock.now += 1
        own.move(SLOWEST // 2)
    assert clock.now == pytest.approx(100 + 2 * STALL, abs=2)


def test_some_are_given_less_to_begin_with(clock):
    assert Pace(5).deadline == 105
