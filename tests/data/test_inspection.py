import io

import numpy as np
import pytest
from PIL import Image

from semseg.data.inspection import Finding, Inspector
from semseg.data.label_maps import parse_label_map
from semseg.data.pairs import Pair
from semseg.data.problems import Kind


def inspect(folder, num_classes: int = 2) -> Finding:
    """Judge the pair `train/a`."""
    pair = Pair("a", folder.root / "train/a.jpg", folder.root / "train_annotation/a.png")
    channels = folder.channels
    return Inspector(channels.train, channels.train_annotation, num_classes).pair(pair)


def texts(finding: Finding) -> list[str]:
    return [str(problem) for problem in finding.problems]


def test_a_sound_pair(folder) -> None:
    folder.pair("train", "a", labels=(0, 1, 255))
    finding = inspect(folder)
    assert finding.problems == []
    assert [finding.pixels[label] for label in (0, 1, 255)] == [8 + 15 * 24, 8, 8]


def test_labels_that_are_too_large(folder) -> None:
    folder.pair("train", "a", labels=(1, 7, 2, 255))
    finding = inspect(folder)
    assert [problem.kind for problem in finding.problems] == [Kind.LABEL_TOO_LARGE]
    assert texts(finding) == [
        "train_annotation/a.png: labels 2 (6 pixels), 7 (6 pixels): with num_classes=2,"
        " labels are 0..1, or 255 to ignore."
    ]


def mapped(folder, content: dict[str, object], num_classes: int = 2) -> Finding:
    """Judge the pair `train/a` by a label map."""
    pair = Pair("a", folder.root / "train/a.jpg", folder.root / "train_annotation/a.png")
    label_map = parse_label_map(content, num_classes)
    channels = folder.channels
    return Inspector(channels.train, channels.train_annotation, num_classes, label_map).pair(pair)


def test_a_label_map_is_applied_before_labels_are_judged(folder) -> None:
    folder.pair("train", "a", labels=(9, 4, 255))
    finding = mapped(folder, {"map": {"0": 9, "1": 4}})
    assert finding.problems == []
    assert [finding.pixels[label] for label in (0, 1, 255)] == [8 + 15 * 24, 8, 8]


def test_a_value_in_no_mapping_is_named(folder) -> None:
    folder.pair("train", "a", labels=(9, 4, 7))
    finding = mapped(folder, {"map": {"0": 9, "1": 4}})
    assert [problem.kind for problem in finding.problems] == [Kind.UNMAPPED_VALUE]
    assert texts(finding) == [
        "train_annotation/a.png: The label map gives no label to the pixel value 7 (8 pixels):"
        " add what is missing to the map, or correct the mask."
    ]


def test_a_label_that_a_scale_makes_too_large_is_named_with_its_value(folder) -> None:
    folder.pair("train", "a", labels=(0, 3, 6))
    assert texts(mapped(folder, {"scale": "3"})) == [
        "train_annotation/a.png: label 2 (value 6, 8 pixels): with num_classes=2, labels are 0..1,"
        " or 255 to ignore."
    ]


def test_indices_that_are_no_labels_are_named_with_their_colours(folder) -> None:
    folder.image("train/a.jpg")
    mask = Image.fromarray(np.full((16, 24), 38, np.uint8)).convert("P")
    mask.putpalette([value for index in range(256) for value in (index, 0, 255 - index)])
    mask.putdata([38] * (16 * 24 - 1) + [75])
    mask.save(folder.root / "train_annotation/a.png")
    finding = inspect(folder)
    assert texts(finding) == [
        "train_annotation/a.png: labels 38 (383 pixels of #2600d9), 75 (1 pixel of #4b00b4):"
        " with num_classes=2, labels are 0..1, or 255 to ignore."
    ]
    assert finding.palette == {38: 0x2600D9, 75: 0x4B00B4}


def test_one_pixel_and_many_labels(folder) -> None:
    folder.image("train/a.jpg")
    folder.mask("train_annotation/a.png", labels=tuple(range(24)))
    (text,) = texts(inspect(folder, 3))
    assert "labels 3 (1 pixel), 4 (1 pixel), " in text
    assert "7 (1 pixel) and 16 more: with num_classes=3" in text


def test_254_is_a_label_and_255_is_not(folder) -> None:
    folder.pair("train", "a", labels=(0, 254, 255))
    assert "label 254 (8 pixels)" in texts(inspect(folder, 254))[0]


def test_size_and_labels_are_both_told(folder) -> None:
    folder.image("train/a.jpg", size=(24, 16))
    folder.mask("train_annotation/a.png", size=(16, 24), labels=(0, 5))
    finding = inspect(folder)
    kinds = [problem.kind for problem in finding.problems]
    assert kinds == [Kind.OTHER_SIZE, Kind.LABEL_TOO_LARGE]
    assert "the mask has 16 x 24 pixels, its image 24 x 16" in texts(finding)[0]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "I;16"])
def test_a_mask_of_another_kind_and_size_is_two_problems(folder, mode: str) -> None:
    folder.image("train/a.jpg")
    Image.new(mode, (3, 3)).save(folder.root / "train_annotation/a.png")
    kinds = [problem.kind for problem in inspect(folder).problems]
    assert kinds == [Kind.OTHER_SIZE, Kind.NOT_A_MASK]


def test_a_truncated_image_and_a_truncated_mask(folder) -> None:
    folder.pair("train", "a")
    for name in ("train/a.jpg", "train_annotation/a.png"):
        path = folder.root / name
        path.write_bytes(path.read_bytes()[:-20])
    finding = inspect(folder)
    assert {problem.kind for problem in finding.problems} == {Kind.UNREADABLE}
    assert texts(finding) == [
        "train/a.jpg: The file is truncated: its end is missing."
        " Replace the file, or remove it and its mask.",
        "train_annotation/a.png: The file is truncated: its end is missing."
        " Replace the file, or remove it and its image.",
    ]


def test_palette_colours_do_not_matter(folder) -> None:
    folder.image("train/a.jpg")
    mask = Image.fromarray(np.zeros((16, 24), np.uint8)).convert("P")
    mask.putpalette([200, 200, 200] * 256)
    file = io.BytesIO()
    mask.save(file, "PNG")
    (folder.root / "train_annotation/a.png").write_bytes(file.getvalue())
    finding = inspect(folder)
    assert not finding.problems
    assert finding.pixels[0] == 24 * 16
