import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from semseg.data import streaming, streams
from semseg.data.assembly import Batch
from semseg.data.loading import EvaluationBatches
from semseg.data.pairs import Pair
from semseg.data.problems import UnsoundData
from semseg.data.sources import StreamRecord
from semseg.data.streaming import StreamedEvaluation, StreamedTraining
from semseg.data.streams import Stream
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.recordio import Record, frame
from tests.data.pipe import Content, Pipe
from tests.data.records import image, mask, pairs, records

CLASSES = 100


class Source:
    """A folder with FIFOs; each job reads them anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs = 0

    def stream(self, *contents: Content) -> Stream:
        self._jobs += 1
        path = self._folder / str(self._jobs) / "train"
        self.pipe = Pipe(path, contents)
        channel = Channel("train", path, "application/x-recordio", "Pipe", True)
        return Stream(channel, CLASSES, seconds=20)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)


def training(
    stream: Stream, workers: int = 2, seed: int = 7, size: int = 4, **options: Callable
) -> StreamedTraining:
    return StreamedTraining(stream, size, 40, 24, workers, seed, **options)


def seen(batches: list[Batch]) -> list[int]:
    """Which samples: all pixels of the mask n are n, or 255 where the crop is padded."""
    return [int(labels.min()) for batch in batches for labels in batch.masks]


def same(one: list[Batch], other: list[Batch]) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(a.images, b.images) and np.array_equal(a.masks, b.masks)
        for a, b in zip(one, other, strict=True)
    )


def own_threads() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("semseg-data")]


def test_shapes_and_types_and_every_pair_once(source: Source) -> None:
    batches = list(training(source.stream(records(pairs(8)))).epoch(0))
    assert [batch.images.shape for batch in batches] == [(4, 3, 24, 24)] * 2
    assert [batch.masks.shape for batch in batches] == [(4, 24, 24)] * 2
    assert (batches[0].images.dtype, batches[0].masks.dtype) == (np.float32, np.uint8)
    assert seen(batches) != list(range(8))
    assert sorted(seen(batches)) == list(range(8))


@pytest.mark.parametrize("workers", [1, 3, 16])
def test_batches_do_not_depend_on_the_number_of_threads(source: Source, workers: int) -> None:
    contents = [records(pairs(10))] * 2
    first, second = training(source.stream(*contents)), training(source.stream(*contents), workers)
    for epoch in (0, 1):
        assert same(list(first.epoch(epoch)), list(second.epoch(epoch)))


def test_seeds_and_epochs_differ(source: Source) -> None:
    content = records(pairs(8))
    both = training(source.stream(content, content))
    runs = [list(both.epoch(0)), list(both.epoch(1))]
    runs.append(list(training(source.stream(content), seed=8).epoch(0)))
    assert not same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


def test_what_is_left_of_an_epoch_opens_the_next(source: Source) -> None:
    batches = training(source.stream(*[records(pairs(6))] * 4), size=4)
    epochs = [list(batches.epoch(number)) for number in range(4)]
    assert [len(epoch) for epoch in epochs] == [1, 2, 1, 2]
    samples = [sample for epoch in epochs for sample in seen(epoch)]
    for start in range(0, 24, 6):
        assert sorted(samples[start : start + 6]) == list(range(6))


def test_the_number_of_an_epoch_is_not_that_of_its_fifo(source: Source) -> None:
    """A job that goes on after an interruption is sent its first FIFO again."""
    content = records(pairs(8))
    whole = list(training(source.stream(content)).epoch(5))
    assert same(list(training(source.stream(content)).epoch(5, done=1)), whole[1:])


def test_the_first_stream_is_counted(source: Source) -> None:
    counts: list[int] = []
    batches = training(source.stream(records(pairs(5)), records(pairs(6))), counted=counts.append)
    for epoch in (0, 1):
        list(batches.epoch(epoch))
    assert counts == [5]


def test_fewer_pairs_than_a_batch(source: Source) -> None:
    with pytest.raises(UnsoundData) as caught:
        list(training(source.stream(records(pairs(3))), size=4).epoch(0))
    assert str(caught.value).splitlines()[1] == (
        "train_0: 3 images, fewer than mini_batch_size=4:"
        " add images, or set mini_batch_size to 3 or less."
    )


def test_a_long_stream_is_mixed_within_bounds(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "_SHUFFLED_PAIRS", 10)
    found = seen(list(training(source.stream(records(pairs(60)))).epoch(0)))
    assert sorted(found) == list(range(60))
    assert found != sorted(found)
    assert all(sample <= place + 10 for place, sample in enumerate(found))


def in_memory(payloads: list[bytes]) -> list[Pair]:
    found = [StreamRecord("x", Record(n, 0, payload)) for n, payload in enumerate(payloads)]
    return [
        Pair(str(n), one, other)
        for n, (one, other) in enumerate(zip(found[::2], found[1::2], strict=True))
    ]


@pytest.mark.parametrize("size", [1, 2])
def test_what_is_scored_is_what_would_be_scored_of_files(source: Source, size: int) -> None:
    payloads = pairs(5)
    batches = StreamedEvaluation(source.stream(*[records(payloads)] * 2), size, 16, 2)
    expected = list(EvaluationBatches(in_memory(payloads), size, 16, 2))
    for _ in range(2):
        assert same(list(batches), expected)
    assert source.pipe.is_done()


def test_an_error_ends_all_threads_and_closes_the_fifo(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_BYTES_AHEAD", 10_000)
    content = records([*pairs(5), image(), mask(CLASSES)]) + records(pairs(8)) * 900
    for batches in (
        lambda stream: training(stream).epoch(0),
        lambda stream: iter(StreamedEvaluation(stream, 2, 16, 2)),
    ):
        with pytest.raises(UnsoundData, match="record 11 at byte"):
            list(batches(source.stream(content)))
        assert own_threads() == []
        assert source.pipe.is_done()
        assert source.pipe.closed_early == 1


def test_an_epoch_that_is_left_ends_all_threads(source: Source) -> None:
    content = records(pairs(50) * 20)
    closed = training(source.stream(content)).epoch(0)
    next(closed)
    closed.close()
    assert own_threads() == []
    assert source.pipe.is_done()

    forgotten = training(source.stream(content)).epoch(0)
    next(forgotten)
    del forgotten
    gc.collect()
    assert own_threads() == []
    assert source.pipe.is_done()


def test_whoever_waits_for_a_fifo_can_be_called_away(source: Source) -> None:
    def stop() -> None:
        raise InterruptedError

    batches: Iterator[Batch]
    for batches in (
        training(source.stream(), check=stop).epoch(0),
        iter(StreamedEvaluation(source.stream(), 2, 16, 2, check=stop)),
    ):
        with pytest.raises(InterruptedError):
            next(batches)
        assert own_threads() == []


def test_split_records(source: Source) -> None:
    """An image that holds the magic number, in a stream by dmlc's writer."""
    from semseg.sagemaker.recordio import split_frame

    picture = image()
    picture += bytes(-len(picture) % 4) + b"\x0a\x23\xd7\xce"  # after a JPEG's end
    content = split_frame(picture) + frame(mask(0))
    assert content != records([picture, mask(0)])
    assert len(list(StreamedEvaluation(source.stream(content), 1, 16, 1))) == 1


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.slow
def test_memory_does_not_grow_with_the_stream(source: Source) -> None:
    """20,000 pairs, 240 MB: what is shuffled and read ahead fills up early, and that is all."""

    def content() -> Iterator[bytes]:
        rng = np.random.default_rng(0)
        few = pairs(10)
        for number in range(0, 40_000, 2):
            picture, labels = few[number % 20 : number % 20 + 2]
            yield frame(picture, rng.bytes(11_000)) + frame(labels)

    batches = training(source.stream(content()), size=16).epoch(0)
    for _ in range(400):  # 6,400 pairs
        next(batches)
    before = resident_megabytes()
    assert sum(1 for _ in batches) == 850
    assert resident_megabytes() - before < 30
    assert source.pipe.written > 230e6
