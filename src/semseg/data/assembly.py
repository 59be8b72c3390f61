"""Samples become batches, in threads that are a little ahead of whoever takes the batches.

Threads and not processes: MXNet does not survive a fork unharmed, shared memory is 64 MB in a
container, and Pillow and numpy work without holding Python's lock.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt

from semseg.data.augmentation import Sample
from semseg.data.batch_memory import BatchMemory
from semseg.data.normalization import normalize

Job = Callable[[], Sample]


@dataclass(frozen=True)
class Batch:
    """Normalised images, float32 (N, 3, H, W), and their labels, uint8 (N, H, W), 255 = ignore."""

    images: npt.NDArray[np.float32]
    masks: npt.NDArray[np.uint8]


def batches_of(groups: Iterable[Sequence[Job]], batch_size: int, workers: int) -> Iterator[Batch]:
    """Run each group of jobs in threads, and yield a batch of what they return, in order.

    The samples of a group must be of one size. Whatever a job raises is raised here. The threads
    are gone when the iterator is exhausted, fails, is closed or is forgotten.
    """
    workers = max(workers, 1)
    ahead = min(max(2, -(-workers // batch_size)), 4)  # enough for each worker, few whole images
    pool = ThreadPoolExecutor(workers, "semseg-data")
    pending: deque[tuple[_Room, list[Future[None]]]] = deque()
    memory = BatchMemory()
    try:
        for group in groups:
            room = _Room(len(group), memory)
            samples = [pool.submit(_fill, room, place, job) for place, job in enumerate(group)]
            pending.append((room, samples))
            if len(pending) > ahead:
                yield _finished(*pending.popleft())
        while pending:
            yield _finished(*pending.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


class _Room:
    """A batch in the making: each thread puts its samples where they belong, so none is copied."""

    def __init__(self, count: int, memory: BatchMemory) -> None:
        self._count = count
        self._memory = memory
        self._lock = Lock()
        self._batch: Batch | None = None

    def fill(self, place: int, job: Job) -> None:
        """Run a job, and put its sample, normalised, into a place."""
        pixels, labels = job()
        batch = self.batch(*labels.shape)
        normalize(pixels, out=batch.images[place])
        batch.masks[place] = labels

    def batch(self, height: int = 0, width: int = 0) -> Batch:
        """The batch, which is made when the first sample tells its height and width."""
        with self._lock:
            if self._batch is None:
                pixels = self._count * height * width
                floats = 3 * 4 * pixels  # bytes
                memory = self._memory.take(floats + pixels)
                images = memory[:floats].view(np.float32).reshape(self._count, 3, height, width)
                self._batch = Batch(images, memory[floats:].reshape(self._count, height, width))
            return self._batch


def _fill(room: _Room, place: int, job: Job) -> None:
    """A thread that is told to end fails as others do, instead of ending the whole program."""
    try:
        room.fill(place, job)
    except SystemExit as end:
        raise RuntimeError("A thread that loads images was ended from outside") from end


def _finished(room: _Room, samples: Sequence[Future[None]]) -> Batch:
    """The batch, once all its samples are made.

    They are waited for together: to wake for each would take the CPU from those who make them.
    """
    wait(samples, return_when=FIRST_EXCEPTION)
    for sample in samples:
        sample.result()
    return room.batch()
