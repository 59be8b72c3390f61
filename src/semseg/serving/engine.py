"""The one thread of a worker that touches the model, and the queue before it."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from semseg.serving.encoders import Kind
from semseg.serving.metrics import Metrics

logger = logging.getLogger(__name__)


class Predictor(Protocol):
    """What the engine needs of `semseg.inference.predictor.Predictor`."""

    def warm_up(self) -> None: ...
    def mask(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]: ...
    def probabilities(self, image: NDArray[np.uint8]) -> NDArray[np.float32]: ...


class HungUp(Exception):
    """The client was gone before the turn of its image came."""


class Closed(Exception):
    """The worker stops, and the turn of the image will not come."""


@dataclass(frozen=True)
class Answer:
    """What the predictor said of an image.

    Attributes:
        values: a mask, uint8 (H,W), or probabilities, float32 (C,H,W).
        queued: seconds that the image waited for its turn.
        forward: seconds that the predictor took.
    """

    values: NDArray[Any]
    queued: float
    forward: float


@dataclass
class _Job:
    kind: Kind
    image: NDArray[np.uint8]
    gone: Callable[[], bool]
    result: Future[Answer] = field(default_factory=Future)
    submitted: float = field(default_factory=time.perf_counter)

    def run(self, predictor: Predictor) -> None:
        predict = predictor.mask if self.kind == "mask" else predictor.probabilities
        started = time.perf_counter()
        try:
            if self.gone():
                raise HungUp
            values = predict(self.image)
            ended = time.perf_counter()
            self.result.set_result(Answer(values, started - self.submitted, ended - started))
        except Exception as problem:  # whoever waits for the result has to deal with it
            self.result.set_exception(problem)
        finally:
            del self  # or the problem would have itself in its traceback, and keep the image


class Engine:
    """Loads a predictor, warms it up and then answers one image after the other, in order.

    MXNet is not thread-safe, and inference from a new thread per request leaks memory: so one
    thread does it all, from the import of MXNet on, and lives as long as its worker.

    Args:
        metrics: told how long loading took, and how many images wait.
    """

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics or Metrics()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._warm = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._closing = threading.Lock()

    def start(
        self,
        load: Callable[[], Predictor],
        give_up: Callable[[Exception], None],
        warm: Callable[[], None] = lambda: None,
    ) -> None:
        """Starts the thread; returns at once.

        Args:
            load: makes the predictor, in the thread.
            give_up: told, in the thread, why the predictor could not be loaded or warmed up.
            warm: called, in the thread, once the predictor has answered its warm-up image.
        """
        self._thread = threading.Thread(
            target=self._serve, args=(load, give_up, warm), name="inference", daemon=True
        )
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether the predictor has answered its warm-up image."""
        return self._warm.is_set()

    def submit(
        self, kind: Kind, image: NDArray[np.uint8], gone: Callable[[], bool] = lambda: False
    ) -> Answer:
        """What the predictor says of an image; waits for it.

        Args:
            kind: `mask` for uint8 (H,W), `probabilities` for float32 (C,H,W).
            image: RGB, uint8 (H,W,3).
            gone: asked, in the engine's thread, when the image's turn has come.

        Raises:
            HungUp: there was nobody left to answer; the predictor has not seen the image.
            Closed: `close` was called before the image's turn.
            Exception: whatever the predictor raised.
        """
        job = _Job(kind, image, gone)
        with self._closing:
            if self._closed:
                raise Closed
            self._metrics.queued()
            self._jobs.put(job)
        try:
            return job.result.result()
        finally:
            del job  # see `_Job.run`

    def close(self) -> None:
        """Refuses the images that wait, and all that come; the one at hand is computed."""
        with self._closing:
            self._closed = True
            while True:
                try:
                    job = self._jobs.get_nowait()
                except Empty:
                    return
                if job is None:  # `stop` was called before, and nothing is behind it
                    self._jobs.put(None)
                    return
                self._metrics.taken()
                job.result.set_exception(Closed())

    def stop(self, timeout: float) -> None:
        """Lets the thread finish what is queued and end; waits at most `timeout` seconds."""
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join(timeout)

    def _serve(
        self,
        load: Callable[[], Predictor],
        give_up: Callable[[Exception], None],
        warm: Callable[[], None],
    ) -> None:
        started = time.perf_counter()
        try:
            predictor = load()
            predictor.warm_up()
        except Exception as problem:
            give_up(problem)
            return
        self._metrics.loaded(time.perf_counter() - started)
        self._warm.set()
        warm()
        while (job := self._jobs.get()) is not None:
            self._metrics.taken()
            job.run(predictor)
            del job  # or its image and result would stay in memory until the next one
