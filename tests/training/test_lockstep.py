import threading

import pytest

from semseg.training.lockstep import Lockstep


def test_members_see_each_others_values_round_by_round() -> None:
    lockstep = Lockstep(3)

    def member(number: int) -> list[list[str]]:
        return [lockstep.exchange(number, f"{number}{letter}") for letter in "abcd"]

    for _ in range(2):
        seen = lockstep.run([lambda number=number: member(number) for number in range(3)])
        assert seen == [[[f"{n}{letter}" for n in range(3)] for letter in "abcd"]] * 3


def test_one_thread_runs_at_a_time() -> None:
    lockstep, busy = Lockstep(4), threading.Lock()

    def member(number: int) -> None:
        for _ in range(20):
            assert busy.acquire(blocking=False)
            busy.release()
            lockstep.exchange(number, None)

    lockstep.run([lambda number=number: member(number) for number in range(4)])


@pytest.mark.parametrize("culprit", [0, 1, 2])
@pytest.mark.parametrize("after", [0, 2])
def test_an_error_ends_all_and_is_the_one_that_is_raised(culprit: int, after: int) -> None:
    lockstep = Lockstep(3)

    def member(number: int) -> None:
        for _ in range(after):
            lockstep.exchange(number, None)
        if number == culprit:
            raise ValueError(f"of member {number}")
        lockstep.exchange(number, None)

    for _ in range(2):
        with pytest.raises(ValueError, match=f"of member {culprit}"):
            lockstep.run([lambda number=number: member(number) for number in range(3)])
    assert lockstep.run([lambda: 1, lambda: 2, lambda: 3]) == [1, 2, 3]
