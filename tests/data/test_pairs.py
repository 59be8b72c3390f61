import logging
from pathlib import Path

import pytest

from semseg.data.pairs import Pair, Pairing, pair_up
from semseg.data.problems import Kind


def training_pairs(folder) -> Pairing:
    return pair_up(folder.channels.train, folder.channels.train_annotation)


def touch(folder, *names: str) -> None:
    for name in names:
        path = folder.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(pairing: Pairing) -> set[tuple[Kind, str]]:
    return {(problem.kind, problem.where) for problem in pairing.problems}


def test_pairs_are_found_by_name_in_any_folder_and_any_case(folder) -> None:
    touch(folder, "train/b.JPG", "train/a.jpeg", "train/c.Png", "train/x/y/a.b.jpg")
    masks = ("b.png", "a.PNG", "c.png", "x/y/a.b.png")
    touch(folder, *(f"train_annotation/{name}" for name in masks))
    pairing = training_pairs(folder)
    assert [pair.name for pair in pairing.pairs] == ["a", "b", "c", "x/y/a.b"]
    train, annotation = folder.root / "train", folder.root / "train_annotation"
    assert pairing.pairs[0] == Pair("a", train / "a.jpeg", annotation / "a.PNG")
    assert pairing.problems == ()


def test_clutter_is_passed_over_with_one_warning_each(
    folder, caplog: pytest.LogCaptureFixture
) -> None:
    touch(folder, "train/a.jpg", "train_annotation/a.png")
    touch(folder, "train/train_annotation/a.png", "train/train_annotation/b.png")
    touch(folder, "train/.DS_Store", "train/.ipynb_checkpoints/a.jpg", "train/x-manifest")
    touch(folder, "train_annotation/classes.csv", "train_annotation/._a.png")
    pairing = training_pairs(folder)
    assert [pair.name for pair in pairing.pairs] == ["a"]
    assert not pairing.problems
    clutter = [
        "train/.DS_Store",
        "train/.ipynb_checkpoints",
        "train/train_annotation",
        "train/x-manifest",
        "train_annotation/._a.png",
        "train_annotation/classes.csv",
    ]
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, f"{folder.root / name} is not a readable image file") for name in clutter
    ]


def test_who_has_no_partner_is_told_what_is_missing(folder) -> None:
    touch(
        folder, "train/a.jpg", "train/b.jpg", "train_annotation/a.png", "train_annotation/x/c.png"
    )
    pairing = training_pairs(folder)
    assert [str(problem) for problem in pairing.problems] == [
        "train/b.jpg: there is no train_annotation/b.png: add the mask or remove the image.",
        "train_annotation/x/c.png: there is no train/x/c.jpg, .jpeg or .png:"
        " add the image or remove the mask.",
    ]
    assert [path.name for path in pairing.lone_images] == ["b.jpg"]
    assert [path.name for path in pairing.lone_masks] == ["c.png"]


def test_an_empty_channel_is_one_problem_not_one_for_each_file(folder) -> None:
    touch(folder, "train/a.jpg", "train/b.jpg", "train_annotation/readme.txt")
    assert found(training_pairs(folder)) == {(Kind.EMPTY_CHANNEL, "train_annotation")}


def test_two_files_of_one_name(folder) -> None:
    touch(folder, "train/a.jpg", "train/a.png", "train_annotation/a.png")
    pairing = training_pairs(folder)
    (problem,) = pairing.problems
    assert problem.kind is Kind.SAME_NAME
    assert "train/a.png: has the same name as train/a.jpg" in str(problem)
    assert len(pairing.pairs) == 1
    assert len(pairing.lone_images) == 1


def test_masks_of_another_format(folder) -> None:
    touch(folder, "train/a.jpg", "train_annotation/a.jpg")
    pairing = training_pairs(folder)
    assert found(pairing) == {(Kind.NOT_A_MASK, "train_annotation/a.jpg")}
    assert not pairing.pairs


def test_links_are_followed_but_not_in_circles(folder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.jpg").touch()
    (folder.root / "train" / "linked").symlink_to(elsewhere)
    (folder.root / "train" / "b.jpg").symlink_to(elsewhere / "a.jpg")
    (elsewhere / "back").symlink_to(folder.root / "train")
    touch(folder, "train_annotation/linked/a.png", "train_annotation/b.png")
    assert [pair.name for pair in training_pairs(folder).pairs] == ["b", "linked/a"]


def test_names_that_are_no_text_can_be_printed(folder) -> None:
    name = b"caf\xe9.jpg".decode(errors="surrogateescape")
    (folder.root / "train" / name).touch()
    touch(folder, "train_annotation/a.png")
    wheres = [problem.where for problem in training_pairs(folder).problems]
    assert "train/caf\\xe9.jpg" in wheres
