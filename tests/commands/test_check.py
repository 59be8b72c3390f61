"""`semseg check` as a person and as a program calls it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from semseg.cli import main
from tests.data.records import image, mask, write_records


def add(folder: Path, part: str, name: str, labels: list[list[int]], scale: int = 1) -> None:
    """An image and its mask, each label being so many pixels wide and high."""
    mask = np.kron(np.array(labels, np.uint8), np.ones((scale, scale), np.uint8))
    for channel in (part, f"{part}_annotation"):
        (folder / channel).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", mask.shape[::-1]).save(folder / part / f"{name}.jpg")
    Image.fromarray(mask).save(folder / f"{part}_annotation" / f"{name}.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images to train on and one to validate on; three classes."""
    folder = tmp_path / "data"
    add(folder, "train", "a", [[0, 1, 2, 255]])
    add(folder, "train", "b", [[0, 1], [1, 1]], scale=10)
    add(folder, "validation", "c", [[0, 1, 2]])
    return folder


def check(
    capsys: pytest.CaptureFixture[str], folder: Path, *options: str, classes: int = 3
) -> tuple[int, str]:
    """The exit code, and standard output."""
    code: object = 0
    try:
        main(["check", str(folder), "--num-classes", str(classes), *options])
    except SystemExit as ended:
        code = ended.code
    assert isinstance(code, int)
    return code, capsys.readouterr().out


def check_json(
    capsys: pytest.CaptureFixture[str], folder: Path, classes: int = 3
) -> tuple[int, dict[str, Any]]:
    code, output = check(capsys, folder, "--json", classes=classes)
    return code, json.loads(output)


def test_a_sound_dataset(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(capsys, folder) == (
        0,
        """\
            images  masks  pairs  width min / median / max  height min / median / max  ignored
train            2      2      2                4 / 4 / 20                 1 / 1 / 20    0.2 %
validation       1      1      1                         3                          1    0.0 %

  class  train   share  images  validation   share  images
      0    101  25.0 %       2           1  33.3 %       1
      1    301  74.5 %       2           1  33.3 %       1
      2      1   0.2 %       1           1  33.3 %       1
ignored      1   0.2 %       1           -       -       -

No problems.
""",
    )


def test_the_same_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = check_json(capsys, folder)
    assert code == 0
    assert report == {
        "num_classes": 3,
        "sound": True,
        "parts": {
            "train": {
                "images": 2,
                "masks": 2,
                "pairs": 2,
                "width": {"min": 4, "median": 4, "max": 20},
                "height": {"min": 1, "median": 1, "max": 20},
                "label_map": None,
                "pixels": [101, 301, 1],
                "images_with_class": [2, 2, 1],
                "pixels_of_other_labels": {},
                "ignored_pixels": 1,
                "ignored_share": 1 / 404,
            },
            "validation": {
                "images": 1,
                "masks": 1,
                "pairs": 1,
                "width": {"min": 3, "median": 3, "max": 3},
                "height": {"min": 1, "median": 1, "max": 1},
                "label_map": None,
                "pixels": [1, 1, 1],
                "images_with_class": [1, 1, 1],
                "pixels_of_other_labels": {},
                "ignored_pixels": 0,
                "ignored_share": 0.0,
            },
        },
        "warnings": [],
        "hints": [],
        "problems": [],
    }


def test_labels_that_are_too_large(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, output = check(capsys, folder, classes=2)
    assert code == 2
    assert "\n    2 *      1   0.2 %       1           1  33.3 %       1\n" in output
    assert "\n* not below num_classes\n" in output
    assert "2 problems in the data: 2 masks with labels >= num_classes." in output
    code, report = check_json(capsys, folder, classes=2)
    assert code == 2
    assert report["sound"] is False
    assert report["parts"]["train"]["pixels"] == [101, 301]
    assert report["parts"]["train"]["pixels_of_other_labels"] == {"2": 1}
    assert report["hints"] == ["The largest label is 2: if that is right, num_classes must be 3."]
    assert [(one["kind"], one["where"]) for one in report["problems"]] == [
        ("label_too_large", "train_annotation/a.png"),
        ("label_too_large", "validation_annotation/c.png"),
    ]


def test_every_problem_is_listed_for_programs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(30):
        (folder / "train" / f"{number}.jpg").write_bytes(b"no image")
    code, report = check_json(capsys, folder)
    assert code == 2
    assert len(report["problems"]) == 60  # unreadable, and without a mask
    assert report["parts"]["train"]["images"] == 32
    output = check(capsys, folder)[1]
    assert output.endswith("\n... and 40 more; --json has them all\n")


def test_a_label_map_and_a_test_part(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(folder, "test", "d", [[0, 10, 20, 29]])
    (folder / "label_map").mkdir()
    (folder / "label_map" / "test_label_map.json").write_text('{"scale": "10"}')
    code, report = check_json(capsys, folder)
    assert code == 0
    assert report["parts"]["test"]["pixels"] == [1, 1, 2]
    assert report["parts"]["test"]["label_map"] == {"scale": "10"}
    assert 'label map of test: {"scale": "10"}\n' in check(capsys, folder)[1]


def test_a_label_map_that_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "label_map").mkdir()
    (folder / "label_map" / "train_label_map.json").write_text('{"map": {"9": 0}}')
    code, report = check_json(capsys, folder)
    assert code == 2
    (problem,) = report["problems"]
    assert problem["kind"] == "label_map"
    assert problem["where"] == "label_map/train_label_map.json"
    assert report["parts"] == {}
    assert check(capsys, folder)[1].startswith("1 problem in the data: 1 mistake in a label map.")


def test_what_is_there_is_checked_though_channels_are_missing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (folder / "validation").iterdir():
        path.unlink()
    (folder / "validation").rmdir()
    (folder / "test_annotation").mkdir()
    code, report = check_json(capsys, folder)
    assert code == 2
    assert list(report["parts"]) == ["train"]
    assert [(one["kind"], one["where"]) for one in report["problems"]] == [
        ("missing_channel", "validation"),
        ("missing_channel", "test"),
    ]


def test_a_job_folder_in_place_of_its_data(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = tmp_path / "job"
    (job / "input").mkdir(parents=True)
    folder.rename(job / "input" / "data")
    code, output = check(capsys, job)
    assert code == 2
    assert f"The channels seem to be in {job / 'input' / 'data'}: check that folder." in output


def test_clutter_does_not_get_into_the_json(folder: Path) -> None:
    """A process, since what goes to which stream is what matters; nor does it import MXNet."""
    (folder / "train" / "notes.txt").touch()
    command = [sys.executable, "-X", "importtime", "-m", "semseg.cli", "check", str(folder)]
    done = subprocess.run(
        [*command, "--num-classes", "3", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["sound"] is True
    assert f"WARNING: {folder}/train/notes.txt is not a readable image file" in done.stderr
    assert "mxnet" not in done.stderr
    assert "gluoncv" not in done.stderr


@pytest.mark.parametrize("classes", ["1", "255", "two", "-3"])
def test_numbers_of_classes_that_are_none(
    folder: Path, classes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", str(folder), f"--num-classes={classes}"])
    assert ended.value.code == 2
    assert "is not a whole number from 2 to 254" in capsys.readouterr().err


def test_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path / "nowhere"), "--num-classes", "2"])
    assert ended.value.code == 2
    assert f"ERROR: There is no folder {tmp_path / 'nowhere'}." in capsys.readouterr().err


def test_real_data(shared: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, report = check_json(capsys, shared("data/camvid"), classes=11)
    assert code == 0
    train = report["parts"]["train"]
    assert (train["images"], sum(train["pixels"]) + train["ignored_pixels"]) == (
        367,
        367 * 480 * 360,
    )
    assert report["warnings"] == []


def test_records_are_checked_as_files_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("train", "validation"):
        write_records(tmp_path / part / "a.rec", [image(), mask(0, 1)])
    code, report = check_json(capsys, tmp_path, classes=2)
    assert code == 0
    assert report["parts"]["train"]["pixels"] == [372, 12]
    write_records(tmp_path / "train" / "b.rec", [image(), image()])
    code, report = check_json(capsys, tmp_path, classes=2)
    assert code == 2
    assert report["problems"][0]["where"].startswith("train/b.rec, record 1 at byte ")


def test_what_is_refused_is_converted_by_the_command_that_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From masks in colour to a sound dataset, by nothing but what the refusal says."""
    colours = np.zeros((256, 3), np.uint8)
    colours[1], colours[2] = (42, 207, 89), (242, 131, 51)
    for path in (folder / "train_annotation").iterdir():
        Image.fromarray(colours[np.asarray(Image.open(path))]).save(path)
    code, report = check_json(capsys, folder)
    assert code == 2
    (hint,) = report["hints"]
    command = hint.partition(": semseg ")[2].split()
    assert command == [
        "convert-masks",
        "train_annotation",
        "train_annotation_classes",
        "--color-map",
        "FILE",
    ]
    (folder / "FILE").write_text("buildings,#2acf59\nroad,#f28333\n")
    monkeypatch.chdir(folder)
    main(command)
    (folder / "train_annotation").rename(folder / "before")
    (folder / "train_annotation_classes").rename(folder / "train_annotation")
    capsys.readouterr()
    code, report = check_json(capsys, folder)
    assert code == 0
    assert report["parts"]["train"]["pixels"] == [102, 301, 1]
