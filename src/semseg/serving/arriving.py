"""Requests on their way in."""

import selectors
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from gunicorn.workers.gthread import TConn

from semseg.serving.incoming import Incoming
from semseg.serving.pace import Pace
from semseg.serving.room import Reservation, Room
from semseg.serving.stage import Stage, Wait, heard_from, socket_of

# Seconds that a client has for its first word, however many others there are.
_FIRST_WORD = 0.5

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass
class Arrival(Wait):
    """A request of which something has come, or may come."""

    request: Incoming
    reservation: Reservation


class Arriving(Stage[Arrival]):
    """Connections from which a request comes or may come.

    Args:
        poller: as of `Stage`.
        let_go: as of `Stage`.
        hand_over: takes a connection whose request needs no more waiting for.
        turn_away: takes one whose request there is no memory for.
        most_body: bytes of the longest body.
        most_waiting: bytes of all requests that have not come as a whole, and, as far as they had
            been waited for, of those that are not `done`.
    """

    def __init__(
        self,
        poller: selectors.BaseSelector,
        let_go: Callable[[TConn], None],
        hand_over: Callable[[TConn, Incoming], None],
        turn_away: Callable[[TConn], None],
        most_body: int,
        most_waiting: int,
    ) -> None:
        super().__init__(poller, let_go)
        self._hand_over = hand_over
        self._turn_away = turn_away
        self._most_body = most_body
        self._room = Room(most_waiting)
        self._handed_over: dict[TConn, Reservation] = {}

    def enter(self, conn: TConn, said: bytes, seconds: float) -> None:
        """Waits for the next request.

        Args:
            conn: the connection.
            said: what has come of it already.
            seconds: that the client may take to begin.
        """
        request, reservation = Incoming(self._most_body), Reservation(self._room)
        self._wait_for(conn, Arrival(request, reservation, pace=Pace(seconds)))
        if said:
            self._take_in(conn, said)
        else:
            self.go_on(conn)

    def go_on(self, conn: TConn) -> None:
        """The client has said something, or hung up."""
        said = heard_from(conn)
        if said:
            self._take_in(conn, said)
        elif said is None:
            return
        elif self._waits[conn].request.data:
            self._hand_on(conn)  # gunicorn knows what to say to a half
        else:
            self._end(conn)

    def leave(self, conn: TConn) -> Arrival:
        """Gives back what the request held, too."""
        arrival = super().leave(conn)
        arrival.reservation.release()
        return arrival

    def done(self, conn: TConn) -> None:
        """A request that was handed over is not there any more."""
        if reservation := self._handed_over.pop(conn, None):
            reservation.release()

    def hurry(self, deadline: float) -> None:
        """Holds for those who have said nothing."""
        self._cap((wait for _, wait in self._silent()), deadline)

    def end_most_silent(self, now: float) -> bool:
        """Lets that one go who has said nothing for longest; false where nobody has for long."""
        while first := next(self._silent(), None):
            conn, arrival = first
            if now - arrival.pace.started < _FIRST_WORD:
                break
            said = heard_from(conn)
            if not said:
                self._end(conn)
                return True
            self._take_in(conn, said)  # it has come just now, and the poller is not there yet
        return False

    def _take_in(self, conn: TConn, said: bytes) -> None:
        arrival = self._waits[conn]
        if not arrival.request.data:
            arrival.pace = Pace()
            arrival.reservation.waits_for_a_client(socket_of(conn).cut_off)
        arrival.request.add(said)
        arrival.pace.move(len(said))
        if arrival.request.whole:
            self._hand_on(conn)
        elif not arrival.reservation.grow(len(said)):
            self.leave(conn)
            self._turn_away(conn)
        elif arrival.request.invited():
            with suppress(OSError):
                conn.sock.send(_CONTINUE)

    def _hand_on(self, conn: TConn) -> None:
        arrival = super().leave(conn)
        arrival.reservation.waits_no_longer()
        self._handed_over[conn] = arrival.reservation
        self._hand_over(conn, arrival.request)

    def _silent(self) -> Iterator[tuple[TConn, Arrival]]:
        """Those of whose next request nothing has come; who has waited for longest comes first."""
        return ((conn, wait) for conn, wait in self._waits.items() if not wait.request.data)
