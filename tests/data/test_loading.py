import gc
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from semseg.data.assembly import Batch
from semseg.data.loading import EvaluationBatches, TrainingBatches
from semseg.data.normalization import normalize
from semseg.data.pairs import Pair
from semseg.sagemaker.errors import CustomerError, PlatformError

MakePairs = Callable[[int], list[Pair]]


def training(pairs: list[Pair], workers: int = 2, seed: int = 7, size: int = 4):
    return TrainingBatches(pairs, size, base_size=40, crop_size=24, workers=workers, seed=seed)


def same(one: list[Batch], other: list[Batch]) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(a.images, b.images) and np.array_equal(a.masks, b.masks)
        for a, b in zip(one, other, strict=True)
    )


def own_threads() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("semseg-data")]


def seen(batches: list[Batch]) -> list[int]:
    """Which samples: the mask of pair n is filled with n."""
    return [int(mask.min()) for batch in batches for mask in batch.masks]


def test_shapes_types_and_values(make_pairs: MakePairs) -> None:
    (batch, *_) = training(make_pairs(4)).epoch(0)
    assert (batch.images.shape, batch.images.dtype) == ((4, 3, 24, 24), np.float32)
    assert (batch.masks.shape, batch.masks.dtype) == ((4, 24, 24), np.uint8)
    assert batch.images.flags.c_contiguous
    black = normalize(np.zeros((1, 1, 3), np.uint8)).min()
    white = normalize(np.full((1, 1, 3), 255, np.uint8)).max()
    assert black <= batch.images.min() < batch.images.max() <= white


@pytest.mark.parametrize("workers", [1, 3, 16])
def test_batches_do_not_depend_on_the_number_of_threads(
    make_pairs: MakePairs, workers: int
) -> None:
    pairs = make_pairs(10)
    for epoch in (0, 1):
        expected = list(training(pairs, workers=2).epoch(epoch))
        assert same(list(training(pairs, workers=workers).epoch(epoch)), expected)


def test_an_epoch_does_not_depend_on_those_before_it(make_pairs: MakePairs) -> None:
    batches = training(make_pairs(6))
    first, second = list(batches.epoch(0)), list(batches.epoch(1))
    assert same(list(batches.epoch(1)), second)
    assert same(list(batches.epoch(0)), first)


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_an_epoch_goes_on_where_it_was_left_without_a_look_at_what_is_done(
    make_pairs: MakePairs, done: int
) -> None:
    pairs = make_pairs(6)
    batches = training(pairs, size=2)
    expected = list(batches.epoch(1))
    for number in set(range(6)) - set(seen(expected[done:])):
        pairs[number].image.unlink()
    assert same(list(batches.epoch(1, done=done)), expected[done:])


def test_seeds_and_epochs_differ(make_pairs: MakePairs) -> None:
    pairs = make_pairs(8)
    runs = [
        list(training(pairs, seed=seed).epoch(epoch)) for seed, epoch in ((7, 0), (7, 1), (8, 0))
    ]
    for number, run in enumerate(runs):
        assert not any(same(run, other) for other in runs[number + 1 :])


def test_what_is_left_of_an_epoch_opens_the_next(make_pairs: MakePairs) -> None:
    batches = training(make_pairs(6), size=4)
    epochs = [list(batches.epoch(number)) for number in range(4)]
    assert [len(epoch) for epoch in epochs] == [1, 2, 1, 2]
    assert [batches.batches_in(number) for number in range(4)] == [1, 2, 1, 2]
    samples = [sample for epoch in epochs for sample in seen(epoch)]
    for start in range(0, 24, 6):
        assert sorted(samples[start : start + 6]) == list(range(6))


def test_rollover_of_pascal_voc() -> None:
    pairs = [Pair(str(number), Path(), Path()) for number in range(1464)]
    batches = TrainingBatches(pairs, 16, 520, 240, 1, 0)
    assert [batches.batches_in(epoch) for epoch in range(4)] == [91, 92, 91, 92]


def test_fewer_pairs_than_a_batch(make_pairs: MakePairs) -> None:
    batches = training(make_pairs(3), size=8)
    assert [len(list(batches.epoch(number))) for number in range(6)] == [0, 0, 1, 0, 0, 1]


def test_no_pairs() -> None:
    with pytest.raises(ValueError, match="no pairs"):
        training([])


def test_whole_images_one_by_one(make_pairs: MakePairs) -> None:
    pairs = make_pairs(5)
    batches = EvaluationBatches(pairs, 1, 24, 2)
    for pair, batch in zip(pairs, batches, strict=True):
        with Image.open(pair.image) as image:
            np.testing.assert_array_equal(batch.images[0], normalize(np.asarray(image)))
        with Image.open(pair.mask) as mask:
            np.testing.assert_array_equal(batch.masks[0], np.asarray(mask))


def test_centre_crops_in_order_with_a_small_last_batch(make_pairs: MakePairs) -> None:
    batches = EvaluationBatches(make_pairs(5), 2, 24, 2)
    first, again = list(batches), list(batches)
    assert same(first, again)
    assert [batch.images.shape for batch in first] == [(n, 3, 24, 24) for n in (2, 2, 1)]
    assert seen(first) == list(range(5))


def test_labels_that_were_not_there_when_they_were_checked(make_pairs: MakePairs) -> None:
    pairs = make_pairs(3)
    training = TrainingBatches(pairs, 1, 40, 24, 1, 1, num_classes=2)
    for batches in (training.epoch(0), EvaluationBatches(pairs, 1, 24, 1, num_classes=2)):
        with pytest.raises(
            CustomerError, match=r"2\.png was sound when it was checked: it now has"
        ):
            list(batches)


def test_a_file_that_goes_bad_is_named(make_pairs: MakePairs) -> None:
    pairs = make_pairs(8)
    pairs[5].image.write_bytes(pairs[5].image.read_bytes()[:300])
    with pytest.raises(CustomerError, match=r"5\.jpg was sound when it was checked: The file is t"):
        list(EvaluationBatches(pairs, 2, 24, 2))
    with pytest.raises(CustomerError, match=r"5\.jpg"):
        list(training(pairs).epoch(0))
    assert own_threads() == []


def test_a_file_that_can_no_longer_be_read_is_the_platforms_fault(make_pairs: MakePairs) -> None:
    pairs = make_pairs(4)
    pairs[1].image.unlink()
    with pytest.raises(
        PlatformError, match=r"1\.jpg could be read when it was checked: There is no such"
    ):
        list(EvaluationBatches(pairs, 2, 24, 2))
    pairs[0].mask.unlink()
    pairs[0].mask.mkdir()
    with pytest.raises(PlatformError, match=r"0\.png could be read when it was checked: .*folder"):
        list(EvaluationBatches(pairs, 2, 24, 2))
    assert own_threads() == []


def test_an_image_for_which_there_is_no_memory_is_the_platforms_fault(
    make_pairs: MakePairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(_: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", no_memory)
    with pytest.raises(PlatformError, match=r"0\.jpg .*too large for the memory of this machine"):
        list(EvaluationBatches(make_pairs(2), 1, 24, 1))


def test_a_mask_that_changes_its_size_is_named(make_pairs: MakePairs) -> None:
    pairs = make_pairs(2)
    Image.new("L", (5, 5)).save(pairs[1].mask)
    with pytest.raises(CustomerError, match=r"1\.png was sound .* the mask has 5 x 5 pixels"):
        list(EvaluationBatches(pairs, 1, 24, 1))


def test_no_thread_outlives_its_epoch(make_pairs: MakePairs) -> None:
    batches = training(make_pairs(12), size=2)
    list(batches.epoch(0))
    assert own_threads() == []

    closed = batches.epoch(0)
    next(closed)
    assert own_threads()
    closed.close()
    assert own_threads() == []

    forgotten = batches.epoch(0)
    next(forgotten)
    del forgotten
    gc.collect()
    assert own_threads() == []


def test_only_a_few_batches_are_made_ahead(
    make_pairs: MakePairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or real(path))
    batches = EvaluationBatches(make_pairs(40), 1, 24, 2)
    iterator = iter(batches)
    next(iterator)
    iterator.close()
    assert len(read) <= 2 * 4  # an image and a mask each
