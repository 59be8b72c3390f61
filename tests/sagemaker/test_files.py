import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from semseg.sagemaker.errors import CustomerError, PlatformError
from semseg.sagemaker.files import (
    check_target,
    check_writable,
    replacement,
    write_atomically,
    write_bytes,
    write_text,
)


def test_text_and_bytes_arrive_in_a_new_folder(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "text", "Straße")
    write_bytes(tmp_path / "new" / "bytes", b"\0\1")
    assert (tmp_path / "new" / "text").read_bytes() == "Straße".encode()
    assert (tmp_path / "new" / "bytes").read_bytes() == b"\0\1"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["bytes", "text"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_text("old")

    def write(temporary: Path) -> None:
        temporary.write_text("new")
        assert temporary.parent == tmp_path
        assert path.read_text() == "old"

    write_atomically(path, write)
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no space"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "model"
    path.write_text("old")

    def write(temporary: Path) -> None:
        temporary.write_text("half")
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, write)
    assert {item.name: item.read_text() for item in tmp_path.iterdir()} == {"model": "old"}


def test_what_a_killed_writer_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    left: list[Path] = []

    def remember(temporary: Path) -> None:
        left.append(temporary)
        temporary.write_text("whole")

    write_atomically(tmp_path / "model", remember)
    left[0].write_text("half of something")
    write_atomically(tmp_path / "model", remember)
    assert [item.name for item in tmp_path.iterdir()] == ["model"]


def test_file_and_folder_are_synced_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda fd: steps.append(Path(os.readlink(f"/proc/self/fd/{fd}")).name)
    )
    write_text(tmp_path / "model", "text")
    assert steps == [".model.sagemaker-ignore", tmp_path.name]


def test_a_file_system_that_cannot_sync_folders_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(descriptor: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EINVAL, "not here")

    monkeypatch.setattr(os, "fsync", fsync)
    write_text(tmp_path / "model", "text")
    assert (tmp_path / "model").read_text() == "text"


def test_a_folder_that_takes_files_is_left_empty(tmp_path):
    check_writable(tmp_path / "model")

    assert list((tmp_path / "model").iterdir()) == []


def test_a_folder_that_takes_none_is_named(tmp_path):
    (tmp_path / "model").write_text("a file in the folder's place")

    with pytest.raises(PlatformError, match=f"Nothing can be written to {tmp_path / 'model'}: "):
        check_writable(tmp_path / "model")


def test_a_replacement_is_whole_and_synced_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda fd: synced.append(Path(os.readlink(f"/proc/self/fd/{fd}")).name)
    )
    path = tmp_path / "model"
    path.write_text("old")
    with replacement(path, lambda temporary: temporary.write_text("new")):
        assert path.read_text() == "old"
        assert (tmp_path / ".model.sagemaker-ignore").read_text() == "new"
        assert synced == [".model.sagemaker-ignore"]
    assert path.read_text() == "new"


def test_a_replacement_whose_block_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_text("old")
    with pytest.raises(KeyError), replacement(path, lambda new: new.write_text("new")):
        raise KeyError
    assert {item.name: item.read_text() for item in tmp_path.iterdir()} == {"model": "old"}


def test_the_question_whether_a_folder_takes_files_has_no_name_to_leave_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, seen = tempfile.TemporaryFile, []

    def look(**options: Any) -> Any:
        file = make(**options)
        seen.extend(tmp_path.iterdir())
        return file

    monkeypatch.setattr(tempfile, "TemporaryFile", look)
    check_writable(tmp_path)
    assert seen == []


def test_a_target_is_looked_at_and_not_made(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "new" / "folder"):
        check_target(folder, "give up")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", [".", "folder"])
@pytest.mark.parametrize("kind", ["file", "link to nothing"])
def test_a_target_with_something_else_in_its_way(tmp_path: Path, kind: str, below: str) -> None:
    there = tmp_path / "there"
    if kind == "file":
        there.touch()
    else:
        there.symlink_to("nothing")
    with pytest.raises(CustomerError, match=f"{there} is not a folder.*, or give up"):
        check_target(there / below, "give up")


def test_a_target_that_takes_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: Any) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    target = tmp_path / "new"
    with pytest.raises(CustomerError) as refused:
        check_target(target, "give up")
    assert str(refused.value) == (
        f"Nothing can be written to {target}: Permission denied (in {tmp_path}, for the user "
        f"number {os.geteuid()}). Make it writable, or give up."
    )
