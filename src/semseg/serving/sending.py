"""Answers on their way out."""

import selectors
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from gunicorn.workers.gthread import TConn

from semseg.serving.stage import Stage, Wait, socket_of


@dataclass
class Departure(Wait):
    """An answer that the client has yet to take.

    Attributes:
        outcome: of the thread that answered.
        acknowledged: as of `PatientSocket`, when it was last looked at.
    """

    outcome: Future[Any]
    acknowledged: int


class Sending(Stage[Departure]):
    """Connections whose clients did not take all of their answers at once.

    Args:
        poller: as of `Stage`.
        let_go: as of `Stage`.
        sent: takes a connection when all has been handed to the kernel, and the thread's outcome.
    """

    events = selectors.EVENT_WRITE

    def __init__(
        self,
        poller: selectors.BaseSelector,
        let_go: Callable[[TConn], None],
        sent: Callable[[TConn, Future[Any]], None],
    ) -> None:
        super().__init__(poller, let_go)
        self._sent = sent

    def enter(self, conn: TConn, outcome: Future[Any]) -> None:
        """Sends what the client takes now, and the rest when it can."""
        all_sent = _send_on(conn)
        if all_sent:
            self._sent(conn, outcome)
        elif all_sent is None:
            self._let_go(conn)
        else:
            self._wait_for(conn, Departure(outcome, socket_of(conn).acknowledged))

    def go_on(self, conn: TConn) -> None:
        """The client can take more, or is gone."""
        all_sent = _send_on(conn)
        if all_sent:
            self._sent(conn, self.leave(conn).outcome)
        elif all_sent is None:
            self._end(conn)

    def end_overdue(self, now: float) -> None:
        """Looks first at who has taken something meanwhile."""
        for conn, departure in self._waits.items():
            acknowledged = socket_of(conn).acknowledged
            if acknowledged > departure.acknowledged:
                departure.pace.move(acknowledged - departure.acknowledged)
                departure.acknowledged = acknowledged
        super().end_overdue(now)


def _send_on(conn: TConn) -> bool | None:
    """Whether all has been sent now; None if the client is gone."""
    try:
        return socket_of(conn).go_on()
    except OSError:
        return None
