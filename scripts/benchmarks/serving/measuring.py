"""The measurements of one contender with one network at one size."""

import json
import subprocess
import time
from pathlib import Path

from scripts.benchmarks.serving.clients import Client, load, throughput
from scripts.benchmarks.serving.contenders import Contender
from scripts.benchmarks.serving.memory import peak_bytes
from scripts.benchmarks.serving.pictures import jpeg
from scripts.benchmarks.serving.results import Result
from scripts.benchmarks.serving.timing import repeat, seconds_of
from scripts.local.endpoint import Endpoint
from semseg import runtime

CLIENTS = 8
PINGING_CLIENTS = 16
MEASURES = ("forward", "http", "load", "ping")
_PINGS = 200
_PAUSE = 0.05


class Bench:
    """Fills in a result.

    Args:
        contender: who.
        folder: the model's files, `model` among them.
        result: whose network and size are measured; gets the figures.
        seconds: about how long each measurement takes.
        least: images that it has at least.
    """

    def __init__(
        self, contender: Contender, folder: Path, result: Result, seconds: float, least: int
    ) -> None:
        self._contender = contender
        self._folder = folder.resolve()
        self._result = result
        self._seconds = seconds
        self._least = least
        self._arguments = [
            contender.engine,
            str(self._folder),
            str(result.height),
            str(result.width),
        ]

    def measure(self, measures: set[str]) -> None:
        """Does those of `MEASURES`; "ping" is for `serve` only."""
        if "forward" in measures:
            self._forward()
        if measures & {"http", "load", "ping"}:
            self._server(measures)

    def _forward(self) -> None:
        arguments = [*self._arguments, str(self._seconds), str(self._least)]
        environment = self._contender.environment()
        if self._contender.serve:  # C libraries read some of these when a process begins
            int8 = environment.get("SEMSEG_PRECISION") == "int8"
            environment |= runtime.serving_environment(workers=1, int8=int8)
        finished = subprocess.run(
            self._python("bare", *arguments),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            text=True,
        )
        found = json.loads(finished.stdout.splitlines()[-1])
        self._result.forward = found["seconds"]
        self._result.forward_cpus = round(found["cpus"], 2)
        self._result.forward_bytes = found["peak_bytes"]

    def _server(self, measures: set[str]) -> None:
        program = None if self._contender.serve else self._python("plain_server", *self._arguments)
        environment = self._contender.environment()
        log = self._folder / "server.log"
        body = jpeg(self._result.height, self._result.width)
        with Endpoint(self._folder, log, program, environment) as endpoint:
            client = Client(endpoint.url)
            client.ask(body)
            if "http" in measures:
                self._result.http = repeat(lambda: client.ask(body), self._seconds, self._least)
            if "load" in measures:
                images, seconds = throughput(endpoint.url, body, CLIENTS, self._seconds)
                self._result.images_per_second = images / seconds
            if "ping" in measures:
                self._result.ping = self._pings(endpoint.url, client, body)
            if "load" in measures or self._result.images_per_second is None:
                self._result.http_bytes = peak_bytes(endpoint.process)
        self._result.seconds_to_ping = round(endpoint.seconds_to_ping, 3)

    def _pings(self, url: str, client: Client, body: bytes) -> list[float]:
        measured = []
        with load(url, body, PINGING_CLIENTS):
            time.sleep(1)
            for _ in range(_PINGS):
                measured.append(seconds_of(client.ping))
                time.sleep(_PAUSE)
        return measured

    def _python(self, module: str, *arguments: str) -> list[str]:
        module = f"scripts.benchmarks.serving.{module}"
        return [str(self._contender.python), "-m", module, *arguments]
