"""Runs `serve` on a tree and talks to it as SageMaker and its clients do."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from scripts.local.training import tail

_START_LIMIT = 240  # seconds; SageMaker gives an endpoint 4 minutes
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STOP_LIMIT = 30  # seconds from SIGTERM to SIGKILL


class EndpointFailed(Exception):
    """`serve` did not start, or did not stop as it should; the message says which."""


def local_session() -> requests.Session:
    """A connection to this machine: never through the proxy that a person's environment names."""
    session = requests.Session()
    session.trust_env = False
    return session


class Endpoint:
    """The console script `serve` with `base` for `/opt/ml`, on a free port of this machine.

    As a context manager: entered once `/ping` answers 200, left with SIGTERM. `seconds_to_ping` is
    the time from the process' start to that answer, `url` where it listens.

    Args:
        base: the tree.
        log: gets all that the server prints.
        program: another server than `serve`, which takes the same variables.
        environment: its variables; this process's if None.
    """

    def __init__(
        self,
        base: Path,
        log: Path,
        program: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._base = base
        self._log = log
        self._program = program or [str(Path(sys.executable).parent / "serve")]
        self._environment = os.environ if environment is None else environment
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._session = local_session()
        self.seconds_to_ping = float("nan")

    @property
    def process(self) -> int:
        """The server's process number."""
        return self._server.pid

    def invoke(self, body: bytes, content_type: str, accept: str) -> bytes:
        """POSTs an image and returns the answer's body."""
        answer = self._session.post(
            f"{self.url}/invocations",
            data=body,
            headers={"Content-Type": content_type, "Accept": accept},
            timeout=60,
        )
        answer.raise_for_status()
        return answer.content

    def workers(self) -> dict[int, int]:
        """Bytes of resident memory of each worker, by its process' id."""
        pid = self._server.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pages = {int(child): Path(f"/proc/{child}/statm").read_text().split() for child in children}
        return {child: int(fields[1]) * _PAGE for child, fields in pages.items()}

    def metrics(self) -> str:
        """What `/metrics` says."""
        answer = self._session.get(f"{self.url}/metrics", timeout=10)
        answer.raise_for_status()
        return answer.text

    def __enter__(self) -> Self:
        environment = {
            **self._environment,
            "SAGEMAKER_BASE_DIR": str(self._base),
            "SAGEMAKER_BIND_TO_PORT": self.url.rpartition(":")[2],
        }
        started = time.monotonic()
        with self._log.open("w") as log:
            self._server = subprocess.Popen(
                self._program, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            while not self._answers_ping():
                if self._server.poll() is not None:
                    raise EndpointFailed(f"serve has ended; its log ends with:\n{tail(self._log)}")
                if time.monotonic() - started > _START_LIMIT:
                    raise EndpointFailed(f"no answer to /ping within {_START_LIMIT} s")
                time.sleep(0.02)
        except BaseException:
            self._server.kill()
            self._server.wait()
            raise
        self.seconds_to_ping = time.monotonic() - started
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()
        self._server.send_signal(signal.SIGTERM)
        try:
            code = self._server.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
            raise EndpointFailed(f"serve ran on for {_STOP_LIMIT} s after SIGTERM") from error
        if code != 0 and error is None:
            raise EndpointFailed(f"serve ended with exit code {code} after SIGTERM")

    def _answers_ping(self) -> bool:
        try:
            return self._session.get(f"{self.url}/ping", timeout=2).status_code == 200
        except requests.RequestException:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
