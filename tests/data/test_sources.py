from pathlib import Path

import pytest

from semseg.data.images import ImageError
from semseg.data.sources import FileRecord, StreamRecord
from semseg.sagemaker.recordio import Record, frame, split_frame


def test_a_record_of_a_file_is_read_from_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    split = b"abcd\x0a\x23\xd7\xceefgh"
    path.write_bytes(frame(b"before") + split_frame(split) + frame(b"after"))
    found = FileRecord(path, 1, 16)
    assert found.read_bytes() == split
    assert str(found) == f"{path}, record 1 at byte 16"


def test_a_file_that_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    path.write_bytes(frame(b"before"))
    with pytest.raises(ImageError, match=r"^The file has become shorter"):
        FileRecord(path, 1, 16).read_bytes()
    with pytest.raises(ImageError, match=r"^The record is broken: it does not start with"):
        FileRecord(path, 1, 4).read_bytes()


def test_a_record_of_a_stream_is_in_memory() -> None:
    found = StreamRecord("train_2", Record(3, 40, b"payload"))
    assert found.read_bytes() == b"payload"
    assert str(found) == "train_2, record 3 at byte 40"
