import threading
from types import SimpleNamespace

import pytest

from semseg.serving import room as rooms
from semseg.serving.room import Room


def test_what_does_not_fit_is_refused_until_something_is_given_back():
    room = Room(100)
    first, second = room.take(60), room.take(40)
    assert first is not None
    assert second is not None
    assert room.take(1) is None

    first.release()
    first.release()

    assert room.take(60) is not None
    assert room.take(1) is None


def test_one_reservation_may_be_larger_than_the_room():
    room = Room(100)
    large = room.take(500)
    assert large is not None
    assert large.grow(500)
    assert room.take(1) is None

    large.release()

    assert room.take(100) is not None


def test_a_reservation_grows_as_far_as_there_is_room():
    room = Room(100)
    reservation, other = room.take(10), room.take(10)
    assert reservation is not None
    assert other is not None

    assert reservation.grow(80)
    assert not reservation.grow(1)
    other.release()
    assert reservation.grow(10)


@pytest.mark.parametrize(("slow", "cut"), [(0.0, True), (1000.0, False)])
def test_only_the_slow_have_to_make_room(monkeypatch, slow, cut):
    monkeypatch.setattr(rooms, "_SLOW", slow - 0.001)
    room, cut_off = Room(100), []
    sending, working = room.take(50), room.take(50)
    assert sending is not None
    assert working is not None
    sending.waits_for_a_client(lambda: (cut_off.append("sending"), sending.release()))

    assert room.take(10) is None

    assert cut_off == (["sending"] if cut else [])
    assert (room.take(10) is not None) == cut


def test_only_as_many_make_room_as_it_takes_the_slowest_first(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(rooms, "time", SimpleNamespace(monotonic=lambda: clock.now))
    room, cut_off = Room(100), []
    reservations = {name: room.take(20) for name in ("second", "first", "third", "last")}
    for name in ("first", "second", "third", "last"):
        clock.now += 1
        reservations[name].waits_for_a_client(lambda name=name: cut_off.append(name))
    clock.now = 13.5  # and the last is not slow yet

    assert room.take(30) is None
    assert cut_off == ["first"]
    assert room.take(40) is None  # what the first still holds will do for this one, too
    assert cut_off == ["first"]
    assert room.take(45) is None
    assert cut_off == ["first", "second"]
    assert room.take(100) is None
    assert cut_off == ["first", "second", "third"]

    for name in cut_off:
        reservations[name].release()
    assert room.take(80) is not None


def test_what_is_given_back_is_there_for_others():
    room = Room(100)
    alone = room.take(500)
    alone.shrink(440)
    assert room.take(41) is None
    other = room.take(40)
    assert other is not None

    alone.release()
    alone.shrink(10)  # nothing is left to give
    assert room.take(61) is None
    assert room.take(60) is not None


def test_nobody_gives_back_while_others_are_cut_off(monkeypatch):
    """Or the next request of the same connection might be cut off."""
    monkeypatch.setattr(rooms, "_SLOW", -1)
    room, waited = Room(100), []
    slow, done = room.take(60), room.take(40)
    other = threading.Thread(target=done.release)

    def cut_off() -> None:
        other.start()
        other.join(0.1)
        waited.append(other.is_alive())

    slow.waits_for_a_client(cut_off)
    assert room.take(50) is None
    other.join()
    assert waited == [True]
    assert room.take(40) is not None
