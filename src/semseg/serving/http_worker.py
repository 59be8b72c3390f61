"""gunicorn's threaded worker, made to keep its threads free and to answer in plain sentences."""

import select
import selectors
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, cast

from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

from semseg.serving.incoming import Incoming, Received
from semseg.serving.patient_socket import PatientSocket
from semseg.serving.room import Room, Share

# Seconds that a client may pause in the middle of a request or an answer.
STALL = 20

# Bytes a second below which one that never pauses is let go too, once it has had its `STALL`.
SLOWEST = 4096

# Seconds that a client has to send what it still wants to send, when its answer has been given.
_GOODBYE = 5.0

# Seconds that a silent client has when the worker stops.
_LAST_WORDS = 2.0

# Seconds between two looks for clients that have had their time.
_LOOK = 0.25

_AT_ONCE = 1 << 18
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS = {
    errors.LimitRequestLine: (414, "URI Too Long"),
    errors.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    errors.ExpectationFailed: (417, "Expectation Failed"),
}


@dataclass
class _Pace:
    """How long a client may take, given how much it has sent or taken."""

    started: float = field(default_factory=time.monotonic)
    moved: int = 0
    deadline: float = field(default_factory=lambda: time.monotonic() + STALL)

    def move(self, size: int) -> None:
        self.moved += size
        whole = self.started + STALL + self.moved / SLOWEST
        self.deadline = min(time.monotonic() + STALL, whole)


@dataclass
class _Departure:
    """An answer on its way out."""

    future: Future[Any]
    acknowledged: int
    pace: _Pace = field(default_factory=_Pace)

    def look(self, client: PatientSocket) -> None:
        if (acknowledged := client.acknowledged) > self.acknowledged:
            self.pace.move(acknowledged - self.acknowledged)
            self.acknowledged = acknowledged


@dataclass
class _Arrival:
    """A request on its way in."""

    request: Incoming
    share: Share
    pace: _Pace


class HttpWorker(ThreadWorker):
    """Differs from gunicorn's `gthread` in what an awkward client can do to the others.

    - A request is received in the poller, and a thread begins with it when all of it is there, or
      so much that it will be refused; it never waits for more. The application is told the length
      of a body that is too long as if it had come by `Content-Length`, but does not get it. An
      answer that the client does not take at once is sent in the poller too. So clients that are
      silent, slow, or stop in the middle cost no thread, and no more than `most_waiting` bytes.
    - A client that stops in the middle is let go after `STALL` seconds.
    - A silent connection does not delay the end of a stopping worker. Connections that the kernel
      has taken for it when it is told to stop are served as well.
    - A connection that ends is heard out in the poller. Closing it while the client still sends
      would reset it, and the client would see that instead of its answer; gunicorn waits for the
      client in the thread that accepts, and nobody else gets in meanwhile.
    - A connection whose answer does not say that it will be closed is not closed, whatever the
      application has read of the request: the client's next one would be lost.
    - A request that is no HTTP gets one plain sentence and a 4xx, never a page or a 5xx.
    """

    most_body = 6 << 20
    most_waiting = 64 << 20

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arriving: dict[TConn, _Arrival] = {}
        self._sending: dict[TConn, _Departure] = {}
        self._leaving: dict[TConn, float] = {}
        self._next_look = 0.0

    @cached_property
    def _room(self) -> Room:
        return Room(self.most_waiting)

    def set_accept_enabled(self, enabled: bool | None) -> None:
        if enabled or self.alive:
            super().set_accept_enabled(enabled)
            return
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
        super().set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()  # whoever comes now is refused at once, and may ask another

    def enqueue_req(self, conn: TConn) -> None:
        said = b""
        if conn.initialized:
            said = _unreader(conn).left_over()
        else:
            conn.sock = PatientSocket.taking_over(conn.sock)
        conn.sock.setblocking(False)
        pace = _Pace()
        pace.deadline = pace.started + (self.cfg.keepalive if self.alive else _LAST_WORDS)
        self._arriving[conn] = _Arrival(Incoming(self.most_body), Share(self._room), pace)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._hear, conn))
        if said:
            self._take_in(conn, said)
        else:
            self._hear(conn, conn.sock)

    def _hear(self, conn: TConn, client: socket.socket) -> None:
        try:
            said = client.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if said:
            self._take_in(conn, said)
        elif self._arriving[conn].request.data:
            self._hand_over(conn)  # gunicorn knows what to say to half a request
        else:
            self._let_go(conn)

    def _take_in(self, conn: TConn, said: bytes) -> None:
        arrival = self._arriving[conn]
        if not arrival.request.data:
            arrival.pace = _Pace()
            arrival.share.waits_for_a_client(_patient(conn).cut_off)
        arrival.request.add(said)
        arrival.pace.move(len(said))
        if not arrival.share.grow(len(said)):
            self._say(conn.sock, 503, "Service Unavailable", _CROWDED)
            self._say_goodbye(conn)
        elif arrival.request.whole:
            self._hand_over(conn)
        elif arrival.request.invited():
            with suppress(OSError):
                conn.sock.send(_CONTINUE)

    def _hand_over(self, conn: TConn) -> None:
        arrival = self._arriving[conn]
        self._forget(conn)
        conn.init()
        parser: Any = conn.parser
        if not isinstance(parser.unreader, Received):
            parser.unreader = Received()
        parser.unreader.feed(arrival.request)
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        try:
            if _patient(conn).go_on():
                self._end_request(conn, fs)
                return
        except OSError:  # the client is gone
            self._let_go(conn)
            return
        conn.sock.setblocking(False)
        self._sending[conn] = _Departure(fs, _patient(conn).acknowledged)
        self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self._send_on, conn))

    def _send_on(self, conn: TConn, _client: socket.socket) -> None:
        departure = self._sending[conn]
        try:
            if _patient(conn).go_on():
                self._forget(conn)
                self._end_request(conn, departure.future)
        except OSError:
            self._let_go(conn)

    def _end_request(self, conn: TConn, fs: Future[Any]) -> None:
        if fs.cancelled() or fs.exception():
            self._let_go(conn)
        elif not fs.result():
            self._say_goodbye(conn)
        elif _unreader(conn).ahead:
            self.enqueue_req(conn)
        else:
            super().finish_request(conn, fs)

    def _say_goodbye(self, conn: TConn) -> None:
        self._forget(conn)
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:  # the client is gone
            self._let_go(conn)
            return
        self._leaving[conn] = time.monotonic() + _GOODBYE
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._hear_out, conn))

    def _hear_out(self, conn: TConn, _client: socket.socket) -> None:
        try:
            heard = conn.sock.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            self._let_go(conn)

    def _let_go(self, conn: TConn) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: TConn) -> None:
        """Takes a connection out of the poller and gives back what it held."""
        arrival = self._arriving.pop(conn, None)
        if arrival:
            arrival.share.release()
        if arrival or self._sending.pop(conn, None) or self._leaving.pop(conn, None):
            self.poller.unregister(conn.sock)

    def murder_pending(self) -> None:
        super().murder_pending()
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK
        for conn, departure in self._sending.items():
            departure.look(_patient(conn))
        deadlines = {
            **{conn: arrival.pace.deadline for conn, arrival in self._arriving.items()},
            **{conn: departure.pace.deadline for conn, departure in self._sending.items()},
            **self._leaving,
        }
        for conn, deadline in deadlines.items():
            if deadline <= now:
                self._let_go(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)  # type: ignore[misc]  # newer than the type stubs
        for arrival in self._arriving.values():
            if not arrival.request.data:
                arrival.pace.deadline = min(arrival.pace.deadline, deadline)
        for conn in self._leaving:
            self._leaving[conn] = min(self._leaving[conn], deadline)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        received = _unreader(conn)
        if not received.complete:
            req.force_close()  # and the answer says so
            req._expected_100_continue = False  # nobody will read on
        if received.too_long:  # all that the application needs to know of the body
            framing = ("CONTENT-LENGTH", "TRANSFER-ENCODING")
            req.headers = [header for header in req.headers if header[0] not in framing]
            req.headers.append(("CONTENT-LENGTH", str(received.too_long)))
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        # What the application has not read is here already, so there is nothing to wait for.
        parser: Any = conn.parser
        return bool(keepalive and parser.finish_body())

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        if not isinstance(exc, errors.ParseException):
            super().handle_error(req, client, addr, exc)
            return
        self.log.debug("Invalid request: %s", exc)
        status, reason = _STATUS.get(type(exc), (400, "Bad Request"))
        self._say(client, status, reason, "The request is not well-formed HTTP.\n")

    def _say(self, client: socket.socket, status: int, reason: str, sentence: str) -> None:
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(sentence)}\r\n"
            + ("Retry-After: 5\r\n" if status == 503 else "")
        )
        try:
            client.sendall(f"{head}\r\n{sentence}".encode("ascii"))
        except OSError:
            self.log.debug("The client of a refused request is gone.")


_CROWDED = "The endpoint holds as many unfinished requests as it can: try again in a few seconds.\n"


def _patient(conn: TConn) -> PatientSocket:
    return cast(PatientSocket, conn.sock)


def _unreader(conn: TConn) -> Received:
    parser: Any = conn.parser
    return cast(Received, parser.unreader)
