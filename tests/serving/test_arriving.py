import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from semseg.serving import room as rooms
from semseg.serving.arriving import Arriving
from semseg.serving.patient_socket import PatientSocket


@dataclass(eq=False)
class Connection:
    """What matters of gunicorn's."""

    sock: PatientSocket


class Door:
    """Clients that are connected, and what becomes of them."""

    def __init__(self) -> None:
        self.let_go: list[Connection] = []
        self.handed_over: list[bytes] = []
        self.poller = selectors.DefaultSelector()
        self.sockets: list[socket.socket] = []
        self.arriving = Arriving(
            self.poller,
            self.let_go.append,
            lambda _conn, request: self.handed_over.append(bytes(request.data)),
            self.let_go.append,
            most_body=100,
            most_waiting=1000,
        )

    def connect(self, said: bytes = b"") -> tuple[Connection, socket.socket]:
        ours, theirs = socket.socketpair()
        conn = Connection(PatientSocket.taking_over(ours))
        self.sockets += [conn.sock, theirs]
        self.arriving.enter(conn, said, 60)
        return conn, theirs

    def hear(self, client: socket.socket, words: bytes) -> None:
        client.sendall(words)
        self.look()

    def look(self) -> None:
        for key, _ in self.poller.select(0):
            key.data(key.fileobj)

    def close(self) -> None:
        self.poller.close()
        for each in self.sockets:
            each.close()


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


def test_who_has_said_nothing_for_longest_goes_first_and_nobody_with_a_request(door):
    first, _ = door.connect()
    _, speaking = door.connect()
    door.connect(b"POST")
    last, _ = door.connect()
    door.hear(speaking, b"GET / HT")

    assert not door.arriving.end_most_silent(time.monotonic())  # all have come only now
    later = time.monotonic() + 1
    assert door.arriving.end_most_silent(later)
    assert door.let_go == [first]
    assert door.arriving.end_most_silent(later)
    assert door.let_go == [first, last]
    assert not door.arriving.end_most_silent(later)

    door.hear(speaking, b"TP/1.1\r\n\r\n")
    assert door.handed_over == [b"GET / HTTP/1.1\r\n\r\n"]


def test_the_silent_are_hurried_and_those_who_speak_are_not(door):
    silent, _ = door.connect()
    door.connect(b"GET")

    door.arriving.hurry(time.monotonic() - 1)
    door.arriving.end_overdue(time.monotonic())

    assert door.let_go == [silent]


def test_what_is_all_there_is_not_refused_for_want_of_memory(door):
    waiting, _ = door.connect(b"GET / HTTP/1.1\r\nX: " + b"x" * 900)
    whole = b"GET / HTTP/1.1\r\nX: " + b"x" * 500 + b"\r\n\r\n"

    door.connect(whole)
    assert door.handed_over == [whole]
    assert not door.let_go

    half, _ = door.connect(whole[:-2])
    assert door.let_go == [half]
    door.connect(b"GET")  # and nothing is left of them
    assert waiting not in door.let_go
    assert door.let_go == [half]


def test_who_sends_slowly_makes_room_for_the_next(door, monkeypatch):
    monkeypatch.setattr(rooms, "_SLOW", -1)
    _, slow = door.connect(b"GET / HTTP/1.1\r\nX: " + b"x" * 900)
    door.connect(b"GET / HTTP/1.1\r\nX: " + b"x" * 500)
    slow.settimeout(1)
    assert slow.recv(1) == b""


def test_who_speaks_in_the_last_moment_may_stay(door):
    _, speaking = door.connect()
    silent, _ = door.connect()
    speaking.sendall(b"GET / HT")

    assert door.arriving.end_most_silent(time.monotonic() + 1)
    assert door.let_go == [silent]
    door.hear(speaking, b"TP/1.1\r\n\r\n")
    assert door.handed_over == [b"GET / HTTP/1.1\r\n\r\n"]


def test_one_event_may_take_away_whom_another_of_the_same_batch_is_about(door):
    conn, theirs = door.connect()
    theirs.sendall(b"GET")
    batch = door.poller.select(0)
    door.arriving.leave(conn)
    for key, _ in batch:
        key.data(key.fileobj)
    assert not door.handed_over
    assert not door.let_go


def test_a_request_holds_its_memory_until_it_is_done(door):
    half, theirs = door.connect(b"GET / HTTP/1.1\r\nX: " + b"x" * 900)
    door.hear(theirs, b"\r\n\r\n")
    assert len(door.handed_over) == 1

    refused, _ = door.connect(b"GET / HTTP/1.1\r\nX: " + b"x" * 900)
    assert door.let_go == [refused]
    door.arriving.done(half)
    door.arriving.done(half)  # a second time does nothing
    door.connect(b"GET / HTTP/1.1\r\nX: " + b"x" * 900)
    assert door.let_go == [refused]
