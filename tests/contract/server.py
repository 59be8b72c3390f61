"""A real `serve` in a process of its own, on a free port of this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import requests

SOURCES = Path(__file__).resolve().parents[2] / "src"
PING_SECONDS = 2  # SageMaker's own limit
# Two megapixels take a minute on a slow CPU, and more where other tests share it.
_PATIENCE = 400


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`serve` under the tree `base`; its output goes to a file."""

    def __init__(self, base: Path, log: Path, **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_file = log
        environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCES),
            "SAGEMAKER_BASE_DIR": str(base),
            "SAGEMAKER_BIND_TO_PORT": str(self.port),
            **variables,
        }
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "semseg.serve"],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def ping(self, seconds: float = PING_SECONDS) -> int | None:
        """The status, or None where nobody answers in time."""
        try:
            return requests.get(f"{self.url}/ping", timeout=seconds).status_code
        except requests.RequestException:
            return None

    def wait_until(self, status: int, seconds: float = 120) -> Self:
        deadline = time.monotonic() + seconds
        while self.ping() != status:
            assert self.process.poll() is None, f"serve ended:\n{self.log}"
            assert time.monotonic() < deadline, f"no {status} from /ping:\n{self.log}"
            time.sleep(0.1)
        return self

    def wait_until_loaded(self, models: int, seconds: float = 120) -> None:
        """So many in all; it answers as soon as the first of its workers has loaded one."""
        deadline = time.monotonic() + seconds
        while self.log.count("...model loaded.") < models:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.1)

    def post(self, body: bytes, accept: str | None = "image/png", **options) -> requests.Response:
        headers = {"Accept": accept, **options.pop("headers", {})}
        return requests.post(
            f"{self.url}/invocations", data=body, headers=headers, timeout=_PATIENCE, **options
        )

    def stop(self, seconds: float = 30) -> int:
        """Sends SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds: float) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"serve did not end within {seconds} s:\n{self.log}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
