"""`docker run`, with the restrictions under which a careful operator runs an image."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Self

import requests

# No capability, no way to gain any, no file system to write to but /tmp, little shared memory.
HARDENED = (
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=3g",
    "--memory-swap=3g",
    "--cpus=1",
    "--pids-limit=256",
    "--shm-size=64m",
)
# Nobody's number, for containers that do not run as root.
UID = 1000

STARTS_WITHIN = 120  # seconds


def docker(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """Runs the docker client; raises where it fails."""
    return subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True, **options
    )


def inspect(image: str) -> dict:
    """What `docker image inspect` says."""
    return json.loads(docker("image", "inspect", image).stdout)[0]


def user(uid: int) -> str:
    return f"--user={uid}:{uid}"


def mount(base: Path, *, read_only: bool = False) -> str:
    """The option that puts `base` where SageMaker puts a job."""
    return f"--volume={base}:/opt/ml{':ro' if read_only else ''}"


def give_to(uid: int, folder: Path) -> None:
    """Makes `uid` the owner of a folder and all that is in it."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, uid)


def run(image: str, *command: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """Runs a container to its end; the exit code is that of its program."""
    return subprocess.run(
        ["docker", "run", "--rm", *options, image, *command],
        capture_output=True,
        text=True,
        timeout=300,
    )


class Container:
    """A container in the background that publishes port 8080 on a free port of this machine."""

    def __init__(self, image: str, *command: str, options: tuple[str, ...] = ()) -> None:
        self._started = time.monotonic()
        publish = "--publish=127.0.0.1::8080"
        self.id = docker("run", "--detach", publish, *options, image, *command).stdout.strip()
        self.url = f"http://{self.address(8080)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        docker("rm", "--force", self.id)

    def address(self, port: int) -> str:
        """Where a published port of the container is on this machine."""
        return docker("port", self.id, f"{port}/tcp").stdout.splitlines()[0]

    @property
    def log(self) -> str:
        logs = docker("logs", self.id)
        return logs.stdout + logs.stderr

    @property
    def state(self) -> dict:
        return json.loads(docker("inspect", "--format={{json .State}}", self.id).stdout)

    def until_it_answers(self) -> float:
        """Waits for 200 from `/ping`; seconds since `docker run` was called."""
        while time.monotonic() - self._started < STARTS_WITHIN:
            try:
                if requests.get(f"{self.url}/ping", timeout=2).status_code == 200:
                    return time.monotonic() - self._started
            except requests.RequestException:
                pass
            assert self.state["Running"], f"the container ended:\n{self.log}"
            time.sleep(0.05)
        raise AssertionError(f"no answer from /ping:\n{self.log}")

    def until_healthy(self, seconds: float = 60) -> None:
        """Waits for Docker to call the container healthy."""
        deadline = time.monotonic() + seconds
        while self.state["Health"]["Status"] != "healthy":
            assert time.monotonic() < deadline, self.state["Health"]
            time.sleep(0.5)

    def wait(self) -> int:
        """Waits for the container to end by itself; its exit code."""
        return int(docker("wait", self.id, timeout=STARTS_WITHIN).stdout)

    def exec(self, *command: str) -> str:
        return docker("exec", self.id, *command).stdout

    def stop(self) -> tuple[int, float]:
        """`docker stop`: the exit code, and the seconds it took."""
        started = time.monotonic()
        docker("stop", "--time=30", self.id)
        return self.state["ExitCode"], time.monotonic() - started
