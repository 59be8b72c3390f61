"""Batches of what lies in files: which samples are in which, and what is seen of each.

Chance is tied to the sample, not to the thread: each place in the endless sequence of samples has a
random generator of its own, seeded from the job's seed and that place. So a seed gives the same
batches whatever the number of threads, and any epoch can be had without those before it.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random

from PIL import Image

from semseg.data.assembly import Batch, Job, batches_of
from semseg.data.augmentation import IGNORE, Sample, centre_crop, random_crop, whole
from semseg.data.decoding import UnusableSource, decode_pair
from semseg.data.images import NotToBeHad, OutOfMemory
from semseg.data.pairs import Pair
from semseg.data.problems import printable
from semseg.data.shard import WHOLE, Shard
from semseg.sagemaker.errors import CustomerError, PlatformError

Cut = Callable[[Image.Image, Image.Image], Sample]


class TrainingBatches:
    """Random crops in random order, full batches only.

    Of each batch that several hosts take together, this host's `shard` is yielded.

    What does not fill a batch opens the next epoch (GluonCV's `last_batch="rollover"`): 1464
    samples in batches of 16 make 91, 92, 91, 92 ... batches. A label of `num_classes` or more,
    other than "ignore", means that a mask has changed since it was checked.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        batch_size: int,
        base_size: int,
        crop_size: int,
        workers: int,
        seed: int,
        shard: Shard = WHOLE,
        num_classes: int = IGNORE,
    ) -> None:
        if not pairs:
            raise ValueError("there are no pairs to make batches of")
        self._pairs = pairs
        self._batch_size = batch_size
        self._step_size = batch_size * shard.hosts
        self._shard = shard
        self._base_size = base_size
        self._crop_size = crop_size
        self._workers = workers
        self._num_classes = num_classes
        self._seed = seed

    def batches_in(self, epoch: int) -> int:
        """The number of batches `epoch` yields; epochs count from 0."""
        return len(self._places(epoch)) // self._step_size

    def epoch(self, number: int, done: int = 0) -> Iterator[Batch]:
        """The batches of an epoch but for the first `done`, which cost nothing.

        Raises `CustomerError` for a file that has changed and `PlatformError` for one that can no
        longer be read.
        """
        jobs = [partial(self._sample, place, pair) for place, pair in self._order(number)]
        del jobs[: done * self._step_size]
        groups = (self._shard.of_step(step) for step in _grouped(jobs, self._step_size))
        return batches_of(groups, self._batch_size, self._workers)

    def _places(self, epoch: int) -> range:
        """An epoch's part of the sequence of samples: from one full step to another."""
        size, count = self._step_size, len(self._pairs)
        return range(epoch * count // size * size, (epoch + 1) * count // size * size)

    def _order(self, epoch: int) -> Iterator[tuple[int, Pair]]:
        """Each place with its pair: the sequence is one shuffled dataset after the other."""
        count = len(self._pairs)
        places = self._places(epoch)
        orders = {n: self._shuffled(n) for n in range(places.start // count, epoch + 1)}
        for place in places:
            yield place, self._pairs[orders[place // count][place % count]]

    def _shuffled(self, epoch: int) -> list[int]:
        indices = list(range(len(self._pairs)))
        Random(f"{self._seed} epoch {epoch}").shuffle(indices)
        return indices

    def _sample(self, place: int, pair: Pair) -> Sample:
        rng = Random(f"{self._seed} sample {place}")
        cut = partial(random_crop, base_size=self._base_size, crop_size=self._crop_size, rng=rng)
        return _read(pair, cut, self._num_classes)


class EvaluationBatches:
    """Every pair once, in order, nothing left to chance.

    A batch size of 1 gives whole images; a larger one centre crops, the last batch being smaller
    where they do not divide. That is the documented meaning of `validation_mini_batch_size`. As to
    `num_classes`, see `TrainingBatches`.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        batch_size: int,
        crop_size: int,
        workers: int,
        shard: Shard = WHOLE,
        num_classes: int = IGNORE,
    ) -> None:
        self._pairs = shard.of_all(pairs)
        self._batch_size = batch_size
        self._crop_size = crop_size
        self._workers = workers
        self._num_classes = num_classes

    def __iter__(self) -> Iterator[Batch]:
        """The batches. Raises as those of `TrainingBatches` do."""
        cut = evaluation_cut(self._batch_size, self._crop_size)
        jobs = [partial(_read, pair, cut, self._num_classes) for pair in self._pairs]
        return batches_of(_grouped(jobs, self._batch_size), self._batch_size, self._workers)


def _read(pair: Pair, cut: Cut, num_classes: int) -> Sample:
    """One sample from its files, which may have changed since they were checked."""
    try:
        image, mask = decode_pair(pair)
    except UnusableSource as error:
        where = printable(error.source)
        if isinstance(error.__cause__, NotToBeHad | OutOfMemory):  # a mount that went away, say
            raise PlatformError(f"{where} could be read when it was checked: {error}") from error
        raise CustomerError(f"{where} was sound when it was checked: {error}") from error
    except OSError as error:
        raise PlatformError(f"What could be read before can no longer be: {error}") from error
    if any(mask.histogram()[num_classes:IGNORE]):
        where = printable(pair.mask)
        raise CustomerError(f"{where} was sound when it was checked: it now has other labels.")
    return cut(image, mask)


def evaluation_cut(batch_size: int, crop_size: int) -> Cut:
    """What is scored of each image: all of it, or its centre."""
    return whole if batch_size == 1 else partial(centre_crop, crop_size=crop_size)


def _grouped(jobs: Sequence[Job], batch_size: int) -> Iterator[Sequence[Job]]:
    for start in range(0, len(jobs), batch_size):
        yield jobs[start : start + batch_size]
