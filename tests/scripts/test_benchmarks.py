from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.benchmarks.compare_training import Job, one_class_score, table
from tests.networks.weights import computed


def test_one_class_everywhere_scores_its_share_of_pixels(tmp_path: Path) -> None:
    masks = tmp_path / "validation_annotation"
    masks.mkdir()
    pixels = np.zeros((40, 40), np.uint8)
    pixels[:10] = 1
    pixels[10:20] = 255
    Image.fromarray(pixels).save(masks / "a.png")
    label, score = one_class_score(tmp_path, num_classes=3, crop_size=None)
    assert label == 0
    assert score == pytest.approx(2 / 3 / 3)


def test_the_table_has_a_row_for_each_epoch() -> None:
    text = table(Job([0.1, 0.3], [0.5, 0.6], 10), Job([0.2, 0.25], [0.4, 0.5], 12), (0, 0.05))
    assert "| 2 | 0.3000 | 0.2500 |" in text
    assert "| best | 0.3000 | 0.2500 |" in text
    assert "| whole job, seconds | 10 | 12 |" in text


@pytest.mark.slow
def test_both_loaders_are_timed(tmp_path: Path) -> None:
    from scripts.benchmarks import loading

    for name, suffix, mode in (("train", "jpg", "RGB"), ("train_annotation", "png", "L")):
        (tmp_path / name).mkdir()
        for number in range(loading.BATCH_SIZE):
            Image.new(mode, (60, 40)).save(tmp_path / name / f"{number}.{suffix}")
    row = loading.compare(tmp_path, crop_size=32, workers=1, repetitions=1)
    cells = row.strip("| ").split(" | ")
    assert cells[:2] == ["32", "1"]
    assert all(float(cell.split()[0]) > 0 for cell in cells[2:])


@pytest.mark.slow
def test_the_baseline_starts_with_the_same_weights() -> None:
    import mxnet as mx

    from scripts.benchmarks import gluoncv_baseline
    from semseg.networks.zoo import build

    mx.random.seed(1)
    ours = build("fcn", "resnet-50", 2)
    ours.start_untrained(mx.cpu())
    mx.random.seed(1)
    theirs = gluoncv_baseline.network({"num_classes": "2", "crop_size": "64"})
    for network in (ours, theirs):
        computed(network(mx.nd.zeros((1, 3, 64, 64))))
    mine, other = (network._collect_params_with_prefix() for network in (ours, theirs))
    assert mine.keys() == other.keys()
    assert all(np.array_equal(mine[n].data().asnumpy(), other[n].data().asnumpy()) for n in mine)
