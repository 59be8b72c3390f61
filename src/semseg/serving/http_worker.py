"""gunicorn's threaded worker, made to keep its threads free and to answer in plain sentences."""

import select
import socket
import time
from concurrent.futures import Future
from typing import Any, cast

from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

from semseg.serving.arriving import Arriving
from semseg.serving.incoming import Incoming, Received
from semseg.serving.leaving import Leaving
from semseg.serving.patient_socket import PatientSocket
from semseg.serving.refusal import RETRY_AFTER
from semseg.serving.sending import Sending

# Seconds that a silent client has when the worker stops.
_LAST_WORDS = 2.0

# Seconds between two looks for clients that have had their time.
_LOOK = 0.25

# Bytes of an unread body that are skipped at once.
_AT_ONCE = 1 << 20

# Seconds without another try where a connection cannot be accepted: it is there all the time.
_BREATH = 0.05

_STATUS = {
    errors.LimitRequestLine: (414, "URI Too Long"),
    errors.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    errors.ExpectationFailed: (417, "Expectation Failed"),
}
_MALFORMED = "The request is not well-formed HTTP.\n"
_CROWDED = "The endpoint holds as many unfinished requests as it can: try again in a few seconds.\n"


class HttpWorker(ThreadWorker):
    """Differs from gunicorn's `gthread` in what an awkward client can do to the others.

    - A request is received in the poller, and a thread begins with it when all of it is there, or
      so much that it will be refused; it never waits for more. The application is told the length
      of a body that is too long as if it had come by `Content-Length`, but does not get it. An
      answer that the client does not take at once is sent in the poller too. So clients that are
      silent, slow, or stop in the middle cost no thread, and no more than `most_waiting` bytes.
    - A client that stops in the middle is let go after `STALL` seconds.
    - Where there are as many connections as gunicorn takes, those that have said nothing for
      longest make way, never one with a request.
    - A silent connection does not delay the end of a stopping worker. Connections that the kernel
      has taken for it when it is told to stop are served as well.
    - A connection that ends is heard out in the poller. Closing it while the client still sends
      would reset it, and the client would see that instead of its answer; gunicorn waits for the
      client in the thread that accepts, and nobody else gets in meanwhile.
    - A connection whose answer does not say that it will be closed is not closed, whatever the
      application has read of the request: the client's next one would be lost.
    - A request that is no HTTP gets one plain sentence and a 4xx as soon as that is plain, never a
      page, a 5xx, or silence.
    - A connection that cannot be accepted, for want of files, say, costs nobody else an answer.
    """

    most_body = 6 << 20
    most_waiting = 64 << 20

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._next_look = 0.0
        self._overfull = False  # whether the last one at the door could not be accepted

    def run(self) -> None:
        self._sending = Sending(self.poller, self._let_go, self._end_request)
        self._leaving = Leaving(self.poller, self._let_go)
        self._arriving = Arriving(
            self.poller,
            self._let_go,
            self._hand_over,
            self._turn_away,
            self.most_body,
            self.most_waiting,
        )
        super().run()

    def set_accept_enabled(self, enabled: bool | None) -> None:
        if enabled or self.alive:
            super().set_accept_enabled(enabled)
            return
        self._accept_those_who_wait()
        super().set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()  # whoever comes now is refused at once, and may ask another

    def _accept_those_who_wait(self) -> None:
        for listener in self.sockets:
            for _ in range(self.cfg.backlog):  # the kernel holds no more, and others keep coming
                waits = select.select([listener], [], [], 0)[0]
                if not waits or not self._could_accept(listener):
                    break

    def accept(self, listener: socket.socket) -> None:
        now = time.monotonic()
        if not self._could_accept(listener) and not self._arriving.end_most_silent(now):
            time.sleep(_BREATH)

    def _could_accept(self, listener: socket.socket) -> bool:
        """Where it could not, for want of files, say, nobody else has to suffer for it."""
        try:
            super().accept(listener)
        except OSError as problem:
            if not self._overfull:
                self.log.warning("Connections cannot be accepted: %s", problem)
            self._overfull = True
            return False
        self._overfull = False
        return True

    def enqueue_req(self, conn: TConn) -> None:
        said = b""
        if conn.initialized:
            said = _received(conn).left_over()
        else:
            conn.sock = PatientSocket.taking_over(conn.sock)
        self._arriving.enter(conn, said, self.cfg.keepalive if self.alive else _LAST_WORDS)

    def _hand_over(self, conn: TConn, request: Incoming) -> None:
        if request.no_http:
            self._refuse(conn, 400, "Bad Request", _MALFORMED)
            return
        conn.init()
        parser: Any = conn.parser
        if not isinstance(parser.unreader, Received):
            parser.unreader = Received()
        parser.unreader.feed(request)
        super().enqueue_req(conn)

    def _turn_away(self, conn: TConn) -> None:
        self._refuse(conn, 503, "Service Unavailable", _CROWDED)

    def _refuse(self, conn: TConn, status: int, reason: str, sentence: str) -> None:
        self._arriving.done(conn)
        self._say(conn.sock, status, reason, sentence)
        self._leaving.enter(conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        if fs.cancelled() or fs.exception() or not fs.result():
            conn.parser = None  # and with it what nobody has read of the request
        self._arriving.done(conn)
        self._sending.enter(conn, fs)

    def _end_request(self, conn: TConn, fs: Future[Any]) -> None:
        if fs.cancelled() or fs.exception():
            self._let_go(conn)
        elif fs.result():
            self.enqueue_req(conn)  # the client may have said more already
        else:
            self._leaving.enter(conn)

    def _let_go(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        super().murder_pending()
        now = time.monotonic()
        while self.alive and self.nr_conns >= self.worker_connections:
            if not self._arriving.end_most_silent(now):
                break
        if now < self._next_look:
            return
        self._next_look = now + _LOOK
        for stage in (self._arriving, self._sending, self._leaving):
            stage.end_overdue(now)

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)  # type: ignore[misc]  # newer than the type stubs
        self._arriving.hurry(deadline)
        self._leaving.hurry(deadline)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        received = _received(conn)
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
        if not keepalive:
            return False
        body = parser.mesg.body
        while not body.failed and body.read(_AT_ONCE):  # `finish_body` takes a kilobyte at a time
            pass
        return bool(parser.finish_body())

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        if not isinstance(exc, errors.ParseException):
            super().handle_error(req, client, addr, exc)
            return
        self.log.debug("Invalid request: %s", exc)
        status, reason = _STATUS.get(type(exc), (400, "Bad Request"))
        self._say(client, status, reason, _MALFORMED)

    def _say(self, client: socket.socket, status: int, reason: str, sentence: str) -> None:
        self.tell(status, len(sentence))
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(sentence)}\r\n"
            + (f"Retry-After: {RETRY_AFTER}\r\n" if status == 503 else "")
        )
        try:
            client.sendall(f"{head}\r\n{sentence}".encode("ascii"))
        except OSError:
            self.log.debug("The client of a refused request is gone.")

    def tell(self, status: int, sent: int) -> None:
        """Hears of every answer that the application had no part in.

        Args:
            status: of the answer.
            sent: bytes of its body.
        """


def _received(conn: TConn) -> Received:
    parser: Any = conn.parser
    return cast(Received, parser.unreader)
