import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.json_files import read_json_object

WriteConfig = Callable[[str, Any], Path]


def test_an_object_comes_back_as_it_is(write_config: WriteConfig) -> None:
    content = {"a": "1", "b": {"c": [1, 2.5, True, None]}}
    assert read_json_object(write_config("x.json", content)) == content


def test_a_byte_order_mark_does_no_harm(write_config: WriteConfig) -> None:
    assert read_json_object(write_config("x.json", b'\xef\xbb\xbf{"a": "1"}')) == {"a": "1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.json is not valid JSON: it is empty (line 1, column 1 of "),
        (b"  \n", "x.json is not valid JSON: it is empty (line 2, column 1 of "),
        (b'{"a": "1",\n "b" 2}', "x.json is not valid JSON: Expecting ':' delimiter (line 2, colu"),
        (b"[1]", "x.json must hold a JSON object, names and values; found [1] ("),
        (b'"text"', "x.json must hold a JSON object, names and values; found 'text' ("),
        (b'{"a": "\xff"}', "x.json is not UTF-8 text: byte 7 of "),
        (b'{"a": 1, "b": 2, "a": 3}', "x.json names 'a' more than once ("),
        (b"[" * 100_000, "x.json is not usable JSON: maximum recursion depth"),
        (b'{"a": ' + b"9" * 5000 + b"}", "x.json is not usable JSON: Exceeds the limit"),
    ],
)
def test_a_malformed_file_is_named_with_the_place(
    write_config: WriteConfig, content: bytes, message: str
) -> None:
    path = write_config("x.json", content)
    with pytest.raises(CustomerError) as raised:
        read_json_object(path)
    assert str(raised.value).startswith(message)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match=r"^x\.json is missing: there is no file /"):
        read_json_object(tmp_path / "x.json")


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    with pytest.raises(CustomerError, match=r"^x\.json cannot be read: .*Is a directory"):
        read_json_object(tmp_path / "x.json")


def test_an_unreadable_file_is_named(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_config("x.json", {})
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything

        def refuse(self: Path) -> bytes:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(CustomerError, match=r"^x\.json cannot be read: .*Permission denied"):
        read_json_object(path)
