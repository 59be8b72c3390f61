import errno
import os
from pathlib import Path

import pytest

from semseg.data import folders
from semseg.data.checks import check_datasets
from semseg.data.problems import UnsoundData


def problems_of(folder) -> list[str]:
    with pytest.raises(UnsoundData) as caught:
        check_datasets(folder.channels, 2, 1, 3)
    return [str(problem) for problem in caught.value.problems]


def test_a_link_to_itself_is_a_problem_among_the_others(folder) -> None:
    folder.sound()
    (folder.root / "train/a.jpg").unlink()
    (folder.root / "train/a.jpg").symlink_to("a.jpg")
    (folder.root / "validation_annotation/v.png").unlink()
    assert problems_of(folder) == [
        "train/a.jpg: The file is a link that leads back to itself."
        " Replace the file, or remove it and its mask.",
        "validation/v.jpg: there is no validation_annotation/v.png:"
        " add the mask or remove the image.",
    ]


def test_a_file_that_may_not_be_read_is_a_problem_among_the_others(
    folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions do not keep root from reading, and root is who runs containers and tests."""
    folder.sound()
    (folder.root / "validation_annotation/v.png").unlink()
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name in ("b.jpg", "c.png"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    first, second, third = problems_of(folder)
    assert first.startswith("train/b.jpg: The file may not be read: its permissions forbid it.")
    assert second.startswith("train_annotation/nested/c.png: The file may not be read: ")
    assert third.startswith("validation/v.jpg: there is no ")


def test_a_folder_that_may_not_be_listed_is_a_problem_among_the_others(
    folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.sound()
    list_folder = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "nested":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return list_folder(path)

    monkeypatch.setattr(folders.os, "scandir", refuse)
    text = "the folder cannot be listed (Permission denied): make it readable or remove it."
    assert problems_of(folder) == [f"train/nested: {text}", f"train_annotation/nested: {text}"]


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_what_the_machine_does_wrong_is_not_the_datas(
    folder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder.sound()

    def fail(path: Path) -> bytes:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        check_datasets(folder.channels, 2, 1, 3)
