import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from semseg.serving.answer_in_parts import answer_in_parts
from semseg.serving.patient_socket import PatientSocket

# More than the kernel holds of what a client has not read.
PROBABILITIES = np.random.default_rng(1).random((3, 1000, 2000), dtype=np.float32)
PARTS = [b"what ", b"follows: ", PROBABILITIES.data, b"end"]
WHOLE = b"what follows: " + PROBABILITIES.tobytes() + b"end"


@pytest.fixture
def pair() -> Iterator[tuple[PatientSocket, socket.socket]]:
    """A server's end and a client's."""
    server, client = socket.socketpair()
    with PatientSocket.taking_over(server) as ours, client:
        yield ours, client


def as_gunicorn_does(response: Any, sock: PatientSocket) -> None:
    """Each piece is sent before the next one is asked for, and must be bytes."""
    for piece in response.iter_encoded():
        assert isinstance(piece, bytes)
        sock.sendall(piece)


def test_all_parts_arrive_in_their_order(pair):
    ours, client = pair
    response = answer_in_parts(PARTS, "application/x-npy", ours)
    assert response.content_type == "application/x-npy"
    assert response.content_length == len(WHOLE)

    as_gunicorn_does(response, ours)
    received = b""
    while len(received) < len(WHOLE):
        received += client.recv(1 << 22)
        ours.go_on()
    assert received == WHOLE


def test_what_waits_for_the_client_is_the_array_itself(pair):
    ours, _ = pair
    as_gunicorn_does(answer_in_parts(PARTS, "application/x-npy", ours), ours)
    assert np.shares_memory(np.asarray(ours._unsent[0]), PROBABILITIES)


def test_the_first_bytes_come_before_anything_is_sent(pair):
    """gunicorn sends the answer's head with them."""
    ours, client = pair
    pieces = answer_in_parts(PARTS, "application/x-npy", ours).iter_encoded()
    assert next(pieces) == b"what follows: "
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(1)


def test_behind_another_server_it_is_bytes():
    response = answer_in_parts(PARTS, "application/x-npy", None)
    assert (response.content_length, response.data) == (len(WHOLE), WHOLE)
