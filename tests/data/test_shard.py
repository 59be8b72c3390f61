"""Hosts that share batches: together they see what one host with a larger batch would see."""

from collections.abc import Callable

import numpy as np
import pytest

from semseg.data.assembly import Batch
from semseg.data.loading import EvaluationBatches, TrainingBatches
from semseg.data.pairs import Pair
from semseg.data.shard import WHOLE, Shard

MakePairs = Callable[[int], list[Pair]]


def training(pairs: list[Pair], size: int, shard: Shard = WHOLE) -> TrainingBatches:
    return TrainingBatches(pairs, size, 40, 24, workers=1, seed=7, shard=shard)


def evaluation(pairs: list[Pair], shard: Shard = WHOLE) -> list[Batch]:
    return [*EvaluationBatches(pairs, 2, 24, workers=1, shard=shard)]


def shards(hosts: int) -> list[Shard]:
    return [Shard(index, hosts) for index in range(hosts)]


@pytest.mark.parametrize("images", range(6, 12))
@pytest.mark.parametrize(("hosts", "size"), [(2, 1), (3, 1), (2, 3), (3, 2)])
def test_all_hosts_have_the_same_number_of_batches_together_those_of_one_host(
    make_pairs: MakePairs, images: int, hosts: int, size: int
) -> None:
    pairs = make_pairs(images)
    for epoch in range(3):
        whole = [*training(pairs, size * hosts).epoch(epoch, done=1)]
        parts = [[*training(pairs, size, shard).epoch(epoch, done=1)] for shard in shards(hosts)]
        assert {len(part) for part in parts} == {len(whole)}
        for step, batch in enumerate(whole):
            together = np.concatenate([part[step].images for part in parts])
            assert np.array_equal(together, batch.images)
            assert {len(part[step].images) for part in parts} == {size}


@pytest.mark.parametrize("images", [1, 2, 7])
def test_together_hosts_score_each_image_once(make_pairs: MakePairs, images: int) -> None:
    """Where there are fewer images than hosts, some have nothing to score."""
    pairs = make_pairs(images)
    scored = [
        int(mask.min())
        for shard in shards(3)
        for batch in evaluation(pairs, shard)
        for mask in batch.masks
    ]
    assert sorted(scored) == list(range(images))
