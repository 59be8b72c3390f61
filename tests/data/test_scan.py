import io
import sys
import threading

import pytest

from semseg.data.problems import Kind
from semseg.data.scan import parts_of, scan


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_sound_dataset(folder) -> None:
    report = scan(parts_of(folder.sound().channels), num_classes=2)
    assert report.problems == ()
    assert [pair.name for pair in report.train.pairs] == ["a", "b", "nested/c"]
    assert (report.train.images, report.validation.images) == (3, 2)
    assert report.train.pixels[:3] == (3 * (24 * 16 - 12), 3 * 12, 0)
    assert report.train.images_with[:3] == (3, 3, 0)
    assert report.train.sizes == ((24, 16),) * 3
    assert report.train.masks == 3
    assert sum(report.pixels) == 5 * 24 * 16


def test_files_without_partner_are_read_as_well(folder) -> None:
    folder.sound()
    lone = folder.image("train/lone.jpg")
    lone.write_bytes(lone.read_bytes()[:200])
    folder.mask("validation_annotation/lone.png", labels=(9,))
    report = scan(parts_of(folder.channels), num_classes=2)
    assert {(problem.kind, problem.where) for problem in report.problems} == {
        (Kind.IMAGE_WITHOUT_MASK, "train/lone.jpg"),
        (Kind.UNREADABLE, "train/lone.jpg"),
        (Kind.MASK_WITHOUT_IMAGE, "validation_annotation/lone.png"),
        (Kind.LABEL_TOO_LARGE, "validation_annotation/lone.png"),
    }
    assert report.train.images == 4


def test_a_bar_where_there_is_a_terminal(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = folder.sound().channels
    for stderr, progress, shown in (
        (Terminal(), True, True),
        (Terminal(), False, False),
        (io.StringIO(), True, False),
    ):
        monkeypatch.setattr(sys, "stderr", stderr)
        scan(parts_of(channels), num_classes=2, progress=progress)
        assert ("Checking the data" in stderr.getvalue()) is shown


def test_no_thread_is_left(folder) -> None:
    scan(parts_of(folder.sound().channels), num_classes=2)
    assert not [t for t in threading.enumerate() if t.name.startswith("semseg")]
