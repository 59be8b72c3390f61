"""Clients that have had their answer, and may still be sending."""

import socket

from gunicorn.workers.gthread import TConn

from semseg.serving.pace import Pace
from semseg.serving.stage import Stage, Wait, heard_from

# Seconds that a client has to send what it still wants to send.
_GOODBYE = 5.0


class Leaving(Stage[Wait]):
    """Connections that are heard out before they are closed.

    Closing one while the client still sends would reset it, and the client would see that instead
    of its answer.
    """

    def enter(self, conn: TConn) -> None:
        """Says that nothing more will be sent, and waits for the client to say so too."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client is gone
            self._let_go(conn)
            return
        self._wait_for(conn, Wait(pace=Pace(_GOODBYE)))

    def go_on(self, conn: TConn) -> None:
        """The client has said something more, or that it will not."""
        if heard_from(conn) == b"":
            self._end(conn)
