import socket
from collections.abc import Iterator

import pytest

from semseg.serving.patient_socket import PatientSocket

from .conftest import wait_for

LARGE = bytes(range(256)) * 40_000


@pytest.fixture
def pair() -> Iterator[tuple[PatientSocket, socket.socket]]:
    """A server's end and a client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=10)
        accepted, _ = listener.accept()
    with PatientSocket.taking_over(accepted) as ours, client:
        yield ours, client


def unsent(ours: PatientSocket) -> int:
    """Bytes that the kernel has yet to take."""
    return sum(len(piece) for piece in ours._unsent)


def test_sending_never_waits_and_nothing_is_lost(pair):
    ours, client = pair
    ours.sendall(b"head")
    ours.sendall(LARGE)
    ours.sendall(b"end")
    assert unsent(ours) > 0

    received = b""
    while not received.endswith(b"end"):
        received += client.recv(1 << 20)
        ours.go_on()
    assert received == b"head" + LARGE + b"end"
    assert unsent(ours) == 0


def test_what_the_client_has_taken_is_known_long_before_more_can_be_sent(pair):
    ours, client = pair
    ours.sendall(LARGE)
    sent = len(LARGE) - unsent(ours)
    wait_for(lambda: ours.acknowledged > 0)
    before = ours.acknowledged
    for _ in range(10):
        client.recv(1 << 17)
    wait_for(lambda: ours.acknowledged > before)
    assert before < ours.acknowledged <= sent == len(LARGE) - unsent(ours)

    while not ours.go_on():
        client.recv(1 << 20)
    taken = client.recv(1 << 20)
    while taken and ours.acknowledged < len(LARGE):
        taken = client.recv(1 << 20)
    assert ours.acknowledged == len(LARGE)


def test_it_tells_when_all_has_been_sent(pair):
    ours, client = pair
    told: list[str] = []
    ours.when_sent(lambda: told.append("sent"))
    ours.sendall(LARGE)
    assert not ours.go_on()
    assert not told

    while not ours.go_on():
        client.recv(1 << 20)
    assert told == ["sent"]
    assert ours.go_on()
    assert told == ["sent"]


def test_it_tells_when_it_will_never_be_sent(pair):
    ours, _ = pair
    told: list[str] = []
    ours.when_sent(lambda: told.append("closed"))
    ours.sendall(LARGE)

    ours.close()

    assert told == ["closed"]


def test_a_client_that_hangs_up_is_gone_even_if_it_had_more_to_say(pair):
    ours, client = pair
    client.sendall(b"unread")
    assert not ours.gone

    client.close()

    wait_for(lambda: ours.gone)


def test_a_client_that_is_cut_off_is_told_so(pair):
    ours, client = pair
    ours.sendall(LARGE)

    ours.cut_off()
    while client.recv(1 << 20):
        pass
    with pytest.raises(ConnectionError):
        ours.go_on()
    ours.close()
    ours.cut_off()  # and once more does no harm
