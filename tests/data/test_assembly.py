import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from semseg.data import assembly
from semseg.data.assembly import Job, batches_of
from semseg.data.augmentation import Sample
from semseg.data.loading import TrainingBatches
from semseg.data.normalization import normalize
from semseg.data.pairs import Pair


def sample(value: int, height: int = 6, width: int = 5) -> Sample:
    pixels = np.random.default_rng(value).integers(0, 256, (height, width, 3), np.uint8)
    return pixels, np.full((height, width), value, np.uint8)


def jobs(count: int) -> list[Job]:
    """The later a job is to be handed out, the sooner it is done."""

    def make(value: int) -> Job:
        def job() -> Sample:
            time.sleep((count - value) / 1000)
            return sample(value)

        return job

    return [make(value) for value in range(count)]


def failing(error: BaseException) -> Job:
    def job() -> Sample:
        raise error

    return job


def own_threads() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("semseg-data")]


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_samples_stand_in_their_order_whoever_is_done_first(workers: int) -> None:
    made = jobs(10)
    batches = list(batches_of([made[:4], made[4:8], made[8:]], 4, workers))
    assert [[int(mask[0, 0]) for mask in batch.masks] for batch in batches] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    images = np.concatenate([batch.images for batch in batches])
    expected = np.stack([normalize(sample(value)[0]) for value in range(10)])
    np.testing.assert_array_equal(images, expected)
    assert images.dtype == np.float32


def test_batches_of_one_may_differ_in_size() -> None:
    groups: list[Sequence[Job]] = [[lambda: sample(1, 4, 9)], [lambda: sample(2, 8, 3)]]
    batches = list(batches_of(groups, 1, 2))
    assert [batch.images.shape for batch in batches] == [(1, 3, 4, 9), (1, 3, 8, 3)]
    assert [batch.masks.shape for batch in batches] == [(1, 4, 9), (1, 8, 3)]


def test_a_batch_stays_as_it_was_while_others_are_made() -> None:
    made = jobs(24)
    batches = batches_of([made[place : place + 2] for place in range(0, 24, 2)], 2, 2)
    first = next(batches)
    before = first.images.copy(), first.masks.copy()
    for _ in batches:
        pass
    np.testing.assert_array_equal(first.images, before[0])
    np.testing.assert_array_equal(first.masks, before[1])


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("error", [ValueError("x"), MemoryError(), KeyboardInterrupt(), OSError(5)])
def test_whatever_ends_a_job_ends_the_loading(error: BaseException, workers: int) -> None:
    """Not in silence, not with the other jobs waited for, and without a thread left behind."""
    groups: list[Sequence[Job]] = [jobs(2), [*jobs(1), failing(error)], *(jobs(2),) * 20]
    received = []
    with pytest.raises(type(error)):
        received.extend(batches_of(groups, 2, workers))
    assert own_threads() == []


def test_a_thread_that_is_ended_from_outside_is_no_quiet_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assembly, "normalize", lambda *_, **__: sys.exit(0))
    with pytest.raises(RuntimeError, match="loads images was ended from outside"):
        list(batches_of([jobs(4)], 4, 2))
    assert own_threads() == []


def test_what_yields_the_groups_may_fail_too() -> None:
    def groups() -> Iterator[Sequence[Job]]:
        yield jobs(2)
        raise ValueError("the stream is broken")

    with pytest.raises(ValueError, match="the stream is broken"):
        list(batches_of(groups(), 2, 2))
    assert own_threads() == []


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def memory_by_epoch(pairs: list[Pair], epochs: int) -> list[int]:
    """Resident bytes of this process after each epoch."""
    batches = TrainingBatches(pairs, 8, base_size=128, crop_size=128, workers=2, seed=1)
    sizes = []
    for epoch in range(epochs):
        assert sum(batch.images.nbytes for batch in batches.epoch(epoch)) > 9e6
        sizes.append(resident_bytes())
    return sizes


def test_forty_epochs_take_no_more_memory_than_ten(
    make_pairs: Callable[[int], list[Pair]],
) -> None:
    """An epoch's batches are 10 MB: a tenth of them kept would be 27 MB. One epoch says little.

    In a process of its own: gaps that other tests have left in the memory are filled up slowly.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        sizes = process.submit(memory_by_epoch, make_pairs(48), 40).result()
    assert statistics.median(sizes[-5:]) - statistics.median(sizes[8:13]) < 14e6
