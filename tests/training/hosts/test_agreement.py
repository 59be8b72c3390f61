"""What all hosts do alike, and at the same place."""

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.stopping import StopRequested
from semseg.training.hosts.agreement import between, check_same, stopping_together
from semseg.training.hosts.joining import Member
from tests.training.hosts.meeting import Meeting


def test_all_stop_before_the_same_item_when_one_is_asked_to() -> None:
    meeting = Meeting(3)

    def work(team: Member) -> int:
        taken = []
        try:
            for item in between(range(1000), meeting.stop_of(team), team):
                taken.append(item)
                if team.index == 1 and item == 20:
                    meeting.stop_of(team).asked = True
        except StopRequested:
            return len(taken)
        return -1

    assert meeting.all(work) == [21, 21, 21]


def test_uneven_work_ends_for_all_when_one_is_asked_to_stop() -> None:
    def work(team: Member) -> str:
        try:
            with stopping_together(team):
                if team.index == 1:
                    raise StopRequested
        except StopRequested:
            return "stopped"
        return "went on"

    assert Meeting(3).all(work) == ["stopped"] * 3


def test_different_data_are_told_by_all_in_the_same_words() -> None:
    meeting = Meeting(2)
    hosts = tuple(meeting.names)

    def work(team: Member) -> None:
        check_same({"training images": "7"}, hosts, team)
        check_same({"training images": f"{7 + team.index}"}, hosts, team)

    first, other = meeting.all(work)
    assert isinstance(first, CustomerError)
    assert f"{hosts[0]} and {hosts[1]} have different data: training images: 7 and 8." in str(first)
    assert str(other) in (str(first), f"{hosts[0]} ended the job: {first}")
