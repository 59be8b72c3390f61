"""Hosts that meet, add up and fail: each a thread here, with an address of its own."""

import threading
import time
from typing import Any

import pytest

from semseg.data.problems import Kind, Problem, UnsoundData
from semseg.sagemaker.errors import AlgorithmError, CustomerError, PlatformError
from semseg.sagemaker.stopping import StopRequested
from semseg.training.hosts import ports
from semseg.training.hosts.connection import Connection
from semseg.training.hosts.joining import Member
from semseg.training.hosts.team import ALONE
from semseg.training.hosts.together import Patience
from tests.training.hosts.meeting import Meeting


def test_all_get_the_same_answers_in_the_order_of_the_hosts() -> None:
    def work(team: Member) -> Any:
        return [
            (team.total(0.1 * 3**team.index, team.index), team.broadcast(f"of {team.index}"))
            for _ in range(50)
        ] + [team.gather({"index": team.index, "value": float("inf")})]

    meeting = Meeting(3)
    found = meeting.all(work)
    totals = [0.1 * 3**0 + 0.1 * 3**1 + 0.1 * 3**2, 3]
    everyone = [{"index": index, "value": float("inf")} for index in range(3)]
    assert found == [[(totals, "of 0")] * 50 + [everyone]] * 3


def test_one_host_alone_needs_nobody() -> None:
    with ALONE as team:
        assert (team.is_first, team.size) == (True, 1)
        assert team.total(1.5, 2) == [1.5, 2]
        assert team.broadcast("own") == "own"
        assert team.gather("own") == ["own"]


def test_hosts_know_their_own_and_the_first_ones_address() -> None:
    meeting = Meeting(2)
    found = meeting.all(lambda team: (team.address, team.first_address))
    assert found == [(name, meeting.names[0]) for name in meeting.names]


def test_the_first_to_come_waits_for_the_others() -> None:
    for late in (0, 1):
        meeting = Meeting(2)
        early = meeting.start(1 - late, lambda team: team.index)
        time.sleep(0.5)
        assert not early.done()
        assert meeting.start(late, lambda team: team.index).result(30) == late
        assert early.result(30) == 1 - late


@pytest.mark.parametrize("missing", [0, 2])
def test_a_host_that_never_comes_is_named_by_all_the_others(missing: int) -> None:
    meeting = Meeting(3, Patience(joining=1.5, sigterm=0.1))
    started = [meeting.start(index, Member.broadcast) for index in range(3) if index != missing]
    for future in started:
        with pytest.raises(
            PlatformError, match=f"{meeting.names[missing]} did not come within 2 s"
        ):
            future.result(20)


def test_strangers_are_sent_away() -> None:
    meeting = Meeting(2)
    first = meeting.start(0, lambda team: team.gather("value"))
    time.sleep(0.2)
    stranger = ports.socket.create_connection((meeting.names[0], ports.TEAM))
    stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
    impostor = ports.socket.create_connection((meeting.names[0], ports.TEAM))
    Connection(impostor, 5).send({"kind": "hello", "host": "somebody", "job": {}})
    assert meeting.start(1, lambda team: team.gather("value")).result(30) == ["value", "value"]
    assert first.result(30) == ["value", "value"]
    assert stranger.recv(100) == b""
    stranger.close()
    impostor.close()


def test_hosts_with_different_hyperparameters_are_told_which() -> None:
    meeting = Meeting(2)
    first = meeting.start(0, lambda team: None, learning_rate="0.1", epochs="3")
    other = meeting.start(1, lambda team: None, learning_rate="0.2", epochs="3")
    for future in (first, other):
        with pytest.raises(CustomerError, match=r"different jobs: learning_rate: 0\.1 and 0\.2\."):
            future.result(30)


@pytest.mark.parametrize("culprit", [0, 1, 2])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CustomerError("Training diverged"), CustomerError),
        (UnsoundData([Problem(Kind.UNREADABLE, "train/a.png", "it is cut short")]), CustomerError),
        (PlatformError("The disk is full"), PlatformError),
        (ValueError("a bug"), AlgorithmError),
    ],
)
def test_an_error_of_one_host_ends_all_with_its_reason(
    culprit: int, error: Exception, kind: type[Exception]
) -> None:
    def work(team: Member) -> Any:
        team.broadcast(None)
        if team.index == culprit:
            raise error
        return team.broadcast("more")

    meeting = Meeting(3)
    found = meeting.all(work)
    assert found[culprit] is error
    for index in {0, 1, 2} - {culprit}:
        assert isinstance(found[index], kind)
        assert str(found[index]).startswith(f"{meeting.names[culprit]} ended the job: {error}")


class Died(BaseException):
    """A process that has no time to say so."""


def die(team: Member) -> None:
    """What the kernel does when a process dies."""
    for connection in team._connections.values():
        connection.hang_up()
    raise Died


@pytest.mark.parametrize("victim", [0, 1, 2])
def test_a_host_that_dies_is_named_by_all_the_others(victim: int) -> None:
    def work(team: Member) -> Any:
        team.broadcast(None)
        if team.index == victim:
            die(team)
        return team.broadcast("more")

    meeting = Meeting(3)
    found = meeting.all(work)
    for index in {0, 1, 2} - {victim}:
        assert isinstance(found[index], PlatformError)
        assert f"The host {meeting.names[victim]} closed the connection" in str(found[index])


def test_a_host_that_falls_silent_is_named_by_all_the_others() -> None:
    """As when its machine is gone, or its cable."""
    quick = Patience(joining=20, heartbeat=0.1, silence=1, sigterm=0.1)
    meeting = Meeting(3, quick)
    over = threading.Event()

    def work(team: Member) -> Any:
        team.broadcast(None)
        if team.index == 2:
            for connection in team._connections.values():
                connection._sending.acquire()  # even its heartbeat has nothing to say any more
            over.wait(30)
            for connection in team._connections.values():
                connection._sending.release()
            raise Died
        return team.broadcast("more")

    started = [meeting.start(index, work) for index in range(3)]
    for future in started[:2]:
        with pytest.raises(
            PlatformError, match=f"{meeting.names[2]} has not been heard of for 1 s"
        ):
            future.result(30)
    over.set()


def test_a_host_that_works_for_long_is_not_silent() -> None:
    def work(team: Member) -> int:
        time.sleep(2 * team.index)
        return int(team.total(1)[0])

    quick = Patience(joining=20, heartbeat=0.1, silence=1, sigterm=0.1)
    assert Meeting(2, quick).all(work) == [2, 2]


def test_a_host_that_is_stuck_is_ended_from_outside() -> None:
    """Where the main thread waits inside MXNet it never hears of the others' end."""
    meeting = Meeting(3)

    def work(team: Member) -> Any:
        team.broadcast(None)
        if team.index == 1:
            die(team)
        deadline = time.monotonic() + 20
        while meeting.names[team.index] not in meeting.given_up:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        raise Died

    meeting.all(work)
    assert sorted(meeting.given_up) == [meeting.names[0], meeting.names[2]]


def test_nobody_leaves_before_the_first_host_is_through() -> None:
    """It may still fail, while it saves."""

    def work(team: Member) -> str:
        if team.is_first:
            time.sleep(0.5)
            raise PlatformError("The disk is full")
        return "done"

    found = Meeting(2).all(work)
    assert [type(one) for one in found] == [PlatformError, PlatformError]


def test_a_host_that_sigterm_ended_makes_the_others_stop_too() -> None:
    """SIGTERM comes to all hosts of a job, to some a little later."""
    meeting = Meeting(2)

    def work(team: Member) -> Any:
        team.broadcast(None)
        meeting.stops[team.index].asked = True
        if team.index == 1:
            die(team)
        return team.broadcast("more")

    assert isinstance(meeting.all(work)[0], StopRequested)
