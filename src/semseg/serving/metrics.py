"""What `/metrics` tells Prometheus, over all workers of a server.

Every worker writes its figures into files of one folder (prometheus-client's multiprocess mode,
https://prometheus.github.io/client_python/multiprocess/), and whichever of them is asked adds up
what all have written. Without a folder there is but one process, and its memory will do.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Stage = Literal["decode", "queue", "forward", "encode"]

_STAGES: tuple[Stage, ...] = ("decode", "queue", "forward", "encode")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60)
_PIXELS = tuple(side * side for side in (64, 128, 256, 512, 1024, 2048, 4096, 8192))


@dataclass
class Request:
    """What is known of one request when it has been answered.

    Method and path are None where it was answered before anybody looked for them.
    """

    method: str | None
    path: str | None
    route: str
    pixels: int | None = None
    seconds: dict[Stage, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        """Adds what the block takes to a stage, whether it ends well or not."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = time.perf_counter() - started

    def line(self, status: int, sent: int | None) -> str:
        """One JSON object: the request for the log.

        Args:
            status: of the answer.
            sent: bytes of the answer's body, if known.
        """
        seconds = {stage: round(self.seconds[stage], 4) for stage in self.seconds}
        total = round(time.perf_counter() - self.started, 4)
        return json.dumps(
            {
                "method": self.method,
                "path": self.path,
                "status": status,
                "pixels": self.pixels,
                "bytes": sent,
                "seconds": {**seconds, "total": total},
            }
        )


class Metrics:
    """The figures of this worker.

    Args:
        folder: where all workers keep theirs; None where there is one process. prometheus-client
            wants to find the same in `PROMETHEUS_MULTIPROC_DIR` when it is imported.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "semseg_requests",
            "Requests by route and by the status of the answer.",
            ("route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "semseg_stage_seconds",
            "Seconds of a request in each stage.",
            ("stage",),
            registry=registry,
            buckets=_SECONDS,
        )
        self._pixels = Histogram(
            "semseg_image_pixels",
            "Height times width of the images.",
            registry=registry,
            buckets=_PIXELS,
        )
        self._queue = Gauge(
            "semseg_queue_length",
            "Images that wait for the network.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._load = Gauge(
            "semseg_model_load_seconds",
            "Seconds from a worker's start to its model's first answer.",
            registry=registry,
            multiprocess_mode="liveall",
        )
        self._memory = Gauge(
            "semseg_resident_memory_bytes",
            "Resident memory of a worker, when it last answered.",
            registry=registry,
            multiprocess_mode="liveall",
        )
        for stage in _STAGES:  # so that they are there before the first request
            self._seconds.labels(stage)

    def answered(self, request: Request, status: int) -> None:
        """Counts a request that has been answered."""
        self._requests.labels(request.route, str(status)).inc()
        for stage, seconds in request.seconds.items():
            self._seconds.labels(stage).observe(seconds)
        if request.pixels is not None:
            self._pixels.observe(request.pixels)
            self._note_memory()

    def loaded(self, seconds: float) -> None:
        """Notes how long the model took to load."""
        self._load.set(seconds)
        self._note_memory()

    def queued(self) -> None:
        """An image more waits for the network."""
        self._queue.inc()

    def taken(self) -> None:
        """An image that waited has been taken."""
        self._queue.dec()

    def text(self) -> bytes:
        """All of it, over all workers, in Prometheus' text format (`CONTENT_TYPE`)."""
        self._note_memory()
        if self._folder is None:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together, str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _note_memory(self) -> None:
        with suppress(OSError):  # a worker with no file left to open still answers
            self._memory.set(_resident_bytes())


def forget(folder: Path | None, worker: int) -> None:
    """Takes out what holds of a live worker only, queue and memory, once it has ended.

    What it counted stays: a counter never falls.

    Args:
        folder: as of `Metrics`.
        worker: the process' id.
    """
    if folder is not None:
        mark_process_dead(worker, str(folder))  # type: ignore[no-untyped-call]


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
