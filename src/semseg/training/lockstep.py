"""Several threads that take turns, so that one program can run for several devices at once.

MXNet only queues an operation and returns, so one thread at a time keeps all devices busy; and two
threads inside MXNet at a time is what its makers warn of.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class _OtherFailedError(Exception):
    """Another member's error ends this one too."""


class Lockstep:
    """Runs a function for each member, and lets the members show each other values on the way.

    All members have to call `exchange` equally often. The first runs to its first exchange, then
    the second, and so on round and round.

    Args:
        members: how many there are.
    """

    def __init__(self, members: int) -> None:
        self._members = members
        self._pool = ThreadPoolExecutor(members, "semseg-device")

    def run(self, functions: Sequence[Callable[[], Any]]) -> list[Any]:
        """What each member's function returns. Raises what the first of them to fail raised."""
        self._turns = [threading.Semaphore(0) for _ in functions]
        self._shown: list[list[Any]] = [[] for _ in functions]
        self._failed = False
        futures = [
            self._pool.submit(self._take_part, member, function)
            for member, function in enumerate(functions)
        ]
        self._turns[0].release()
        errors = [future.exception() for future in futures]
        self._shown = []  # or what was shown would keep a whole forward's memory
        for error in errors:
            if error is not None and not isinstance(error, _OtherFailedError):
                raise error
        return [future.result() for future in futures]

    def exchange(self, member: int, value: Any) -> list[Any]:
        """Shows `value` to the others and returns what all of them show, in their order."""
        self._shown[member].append(value)
        number = len(self._shown[member]) - 1
        self._next_turn(member)
        self._await_turn(member)
        return [shown[number] for shown in self._shown]

    def _take_part(self, member: int, function: Callable[[], Any]) -> Any:
        try:
            self._await_turn(member)
            result = function()
        except BaseException:
            self._failed = True
            for turn in self._turns:
                turn.release()
            raise
        self._next_turn(member)
        return result

    def _next_turn(self, member: int) -> None:
        self._turns[(member + 1) % self._members].release()

    def _await_turn(self, member: int) -> None:
        self._turns[member].acquire()
        if self._failed:
            raise _OtherFailedError
