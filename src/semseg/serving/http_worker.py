"""gunicorn's threaded worker, made to keep a thread free and to answer in plain sentences."""

import selectors
import socket
import struct
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

# Seconds that a client may pause in the middle of a request or an answer.
STALL = 20

# Seconds that a client has to send what it still wants to send, when its answer has been given.
_GOODBYE = 5.0

# Seconds that a thread reads on for the end of a body that nobody wanted.
_DRAIN = 0.05

_STATUS = {
    errors.LimitRequestLine: (414, "URI Too Long"),
    errors.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    errors.ExpectationFailed: (417, "Expectation Failed"),
}


class HttpWorker(ThreadWorker):
    """Differs from gunicorn's `gthread` in what an awkward client can do to the others.

    - A connection on which nothing has been said yet waits in the poller, not in a thread.
    - A client that stops in the middle is let go after `STALL` seconds.
    - A silent connection does not delay the end of a stopping worker.
    - A connection that ends is heard out in the poller. Closing it while the client still sends
      would reset it, and the client would see that instead of its answer; gunicorn waits for the
      client in the thread that accepts, and nobody else gets in meanwhile.
    - A request that is no HTTP gets one plain sentence and a 4xx, never a page or a 5xx.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leaving: list[TConn] = []

    def enqueue_req(self, conn: TConn) -> None:
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        limit = struct.pack("ll", STALL, 0)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self.cfg.keepalive
        self.pending_conns.append(conn)
        said_something = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, said_something)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
            return
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:  # the client is gone
            self._let_go(conn)
            return
        conn.timeout = time.monotonic() + _GOODBYE
        self.leaving.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._hear_out, conn))

    def murder_pending(self) -> None:
        super().murder_pending()
        now = time.monotonic()
        for conn in [conn for conn in self.leaving if (conn.timeout or 0) <= now]:
            self._part(conn)

    def _hear_out(self, conn: TConn, _client: socket.socket) -> None:
        try:
            heard = conn.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            self._part(conn)

    def _part(self, conn: TConn) -> None:
        self.leaving.remove(conn)
        self.poller.unregister(conn.sock)
        self._let_go(conn)

    def _let_go(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        parser: Any = conn.parser
        return bool(keepalive and parser.finish_body(deadline=time.monotonic() + _DRAIN))

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)  # type: ignore[misc]  # newer than the type stubs
        for conn in (*self.pending_conns, *self.leaving):
            conn.timeout = min(conn.timeout or deadline, deadline)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        if not isinstance(exc, errors.ParseException):
            super().handle_error(req, client, addr, exc)
            return
        self.log.debug("Invalid request: %s", exc)
        status, reason = _STATUS.get(type(exc), (400, "Bad Request"))
        sentence = "The request is not well-formed HTTP.\n"
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(sentence)}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, (head + sentence).encode("ascii"))
        except OSError:
            self.log.debug("The client of an invalid request is gone.")
