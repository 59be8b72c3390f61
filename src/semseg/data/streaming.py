"""Batches of what streams bring, in place of those that `loading` makes of files.

They come through the same threads, decoding and augmentation. Chance is tied to a sample's place in
its epoch, so here, too, a seed gives the same batches whatever the number of threads.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from random import Random

from semseg.data.assembly import Batch, Job, batches_of
from semseg.data.augmentation import Sample, random_crop
from semseg.data.loading import evaluation_cut
from semseg.data.pairs import Pair
from semseg.data.problems import UnsoundData, too_few_images
from semseg.data.shuffling import shuffled
from semseg.data.streams import Check, Stream, size_of

_SHUFFLED_PAIRS = 1024
_SHUFFLED_BYTES = 1 << 28


class StreamedTraining:
    """Random crops of a stream, in an order as random as a bounded memory allows; full batches.

    What does not fill a batch opens the next epoch, as with files.

    Args:
        stream: one FIFO of it makes an epoch. They are counted from 0 whatever the epoch's number:
            a job that goes on where another one ended gets FIFOs of its own.
        counted: is told how many pairs the first FIFO brought.
        check: is called every now and then while nothing comes, and may raise.
    """

    def __init__(
        self,
        stream: Stream,
        batch_size: int,
        base_size: int,
        crop_size: int,
        workers: int,
        seed: int,
        counted: Callable[[int], None] = lambda count: None,
        check: Check = lambda: None,
    ) -> None:
        self._stream = stream
        self._batch_size = batch_size
        self._base_size = base_size
        self._crop_size = crop_size
        self._workers = workers
        self._seed = seed
        self._counted = counted
        self._check = check
        self._fifo = 0
        self._left: list[Job] = []

    def epoch(self, number: int, done: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from the next FIFO, but for the first `done`.

        Raises `UnsoundData` where the stream is broken, or brings fewer pairs than a batch takes,
        and `PlatformError` where nothing comes.
        """
        fifo, self._fifo = self._fifo, self._fifo + 1
        with self._stream.pairs(fifo, self._check) as pairs:
            groups = islice(self._groups(number, fifo, pairs), done, None)
            yield from batches_of(groups, self._batch_size, self._workers)

    def _groups(self, epoch: int, fifo: int, pairs: Iterable[Pair]) -> Iterator[list[Job]]:
        rng = Random(f"{self._seed} epoch {epoch}")
        group, count = self._left, 0
        for pair in shuffled(pairs, size_of, rng, _SHUFFLED_PAIRS, _SHUFFLED_BYTES):
            group.append(partial(self._sample, pair, fifo, f"epoch {epoch} sample {count}"))
            count += 1
            if len(group) == self._batch_size:
                yield group
                group = []
        self._left = group
        if not fifo:
            self._counted(count)
        if count < self._batch_size:
            raise UnsoundData([too_few_images(self._stream.name(fifo), count, self._batch_size)])

    def _sample(self, pair: Pair, fifo: int, place: str) -> Sample:
        rng = Random(f"{self._seed} {place}")
        image, mask = self._stream.decode(pair, fifo)
        return random_crop(image, mask, self._base_size, self._crop_size, rng)


class StreamedEvaluation:
    """Every pair of a stream once, in order; what is seen of it is as with `EvaluationBatches`.

    Each iteration takes another FIFO, counted from 0.
    """

    def __init__(
        self,
        stream: Stream,
        batch_size: int,
        crop_size: int,
        workers: int,
        check: Check = lambda: None,
    ) -> None:
        self._stream = stream
        self._batch_size = batch_size
        self._cut = evaluation_cut(batch_size, crop_size)
        self._workers = workers
        self._check = check
        self._fifo = 0

    def __iter__(self) -> Iterator[Batch]:
        """The batches of the next FIFO. Raises as those of `StreamedTraining` do."""
        fifo, self._fifo = self._fifo, self._fifo + 1
        with self._stream.pairs(fifo, self._check) as pairs:
            jobs = (partial(self._sample, pair, fifo) for pair in pairs)
            groups = iter(lambda: [*islice(jobs, self._batch_size)], [])
            yield from batches_of(groups, self._batch_size, self._workers)

    def _sample(self, pair: Pair, fifo: int) -> Sample:
        return self._cut(*self._stream.decode(pair, fifo))
