from pathlib import Path

import numpy as np
from PIL import Image

from scripts.demo.dataset import HELD_OUT, write_dataset
from scripts.demo.scores import iou_per_class
from scripts.demo.sheet import draw_sheet


def test_iou_counts_over_all_pictures() -> None:
    truth = np.array([[0, 0, 1, 1]], np.uint8)
    predicted = np.array([[0, 1, 1, 1]], np.uint8)
    pairs = [(truth, predicted), (truth, truth)]
    assert iou_per_class(pairs, 3) == [3 / 4, 4 / 5, 0.0]


def test_the_sheet_has_three_pictures_a_row() -> None:
    image = np.full((100, 120, 3), 200, np.uint8)
    mask = np.zeros((100, 120), np.uint8)
    one, two = (draw_sheet("title", [(image, mask, mask)] * rows) for rows in (1, 2))
    assert one.width == two.width >= 3 * 240
    assert two.height - one.height >= 200


def test_the_data_set_is_laid_out_as_channels(tmp_path: Path) -> None:
    write_dataset(tmp_path, tmp_path / "held-out", training=2, validation=1, seed=1)
    data = tmp_path / "input" / "data"
    assert len(list((data / "train").glob("*.jpg"))) == 2
    assert len(list((data / "validation_annotation").glob("*.png"))) == 1
    assert len(list((tmp_path / "held-out" / "images").iterdir())) == HELD_OUT
    with Image.open(data / "train_annotation" / "000.png") as mask:
        assert mask.mode == "P"
