import socket
import struct

import pytest

from semseg.training.hosts.connection import Connection, ConnectionLost


@pytest.fixture
def pair():
    """Two connected ends: a connection, and a bare socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
    with ours, theirs:
        yield Connection(ours, 0.3), theirs


def test_messages_arrive_whole_and_in_order(pair) -> None:
    connection, theirs = pair
    other = Connection(theirs, 5)
    messages = [{"number": 0.1 + 0.2, "text": "ä"}, {"list": list(range(30000))}]
    for message in messages:
        other.send(message)
        other.send_if_idle({"kind": "alive"})
    assert [connection.receive() for _ in range(4)] == [
        messages[0],
        {"kind": "alive"},
        messages[1],
        {"kind": "alive"},
    ]


def send_often(connection: Connection, message: dict[str, str]) -> None:
    for _ in range(100):
        connection.send(message)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("!I", 3) + b"{],",
        struct.pack("!I", 3) + b"\xff\xfe\xfd",
        struct.pack("!I", 2) + b"[]",
        struct.pack("!I", 1 << 27) + b"{}",
    ],
)
def test_what_is_no_message_ends_the_connection(pair, data: bytes) -> None:
    connection, theirs = pair
    theirs.sendall(data)
    with pytest.raises(ConnectionLost, match="sent what is no message"):
        connection.receive()


def test_silence_and_a_closed_connection_are_told_apart(pair) -> None:
    connection, theirs = pair
    with pytest.raises(ConnectionLost, match=r"has not been heard of for 0\.3 s"):
        connection.receive()
    theirs.close()
    with pytest.raises(ConnectionLost, match="closed the connection"):
        connection.receive()
    with pytest.raises(ConnectionLost, match="closed the connection"):
        send_often(connection, {"kind": "alive"})


def test_a_sign_of_life_does_not_wait_for_one_who_does_not_read(pair) -> None:
    connection, _ = pair
    with pytest.raises(ConnectionLost, match="timed out"):
        send_often(connection, {"much": "x" * (1 << 20)})
    with connection._sending:
        connection.send_if_idle({"kind": "alive"})
