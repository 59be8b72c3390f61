from collections.abc import Callable
from pathlib import Path

import pytest

from semseg.cli import main
from semseg.commands import fetch_backbones


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, Path, str | None]]:
    """A model store that has resnet-50 only and remembers what it was asked for."""
    asked: list[tuple[str, Path, str | None]] = []

    def fetch(backbone: str, folder: Path, mirror: str | None) -> Path:
        asked.append((backbone, folder, mirror))
        if backbone == "resnet-101":
            raise OSError("no such file")
        return folder / "resnet50_v1s.params"

    def fetched(backbone: str, folder: Path) -> Path | None:
        file = folder / f"{backbone}.params"
        return file if file.exists() else None

    monkeypatch.setattr(fetch_backbones, "fetch", fetch)
    monkeypatch.setattr(fetch_backbones, "fetched", fetched)
    monkeypatch.setenv("SEMSEG_BACKBONES", str(tmp_path))
    monkeypatch.setenv("MXNET_GLUON_REPO", "http://mirror")
    return asked


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_fetches_one_backbone(store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["fetch-backbones", "resnet-50"])
    assert store == [("resnet-50", tmp_path, "http://mirror")]
    assert capsys.readouterr().out == f"{tmp_path / 'resnet50_v1s.params'}\n"


def test_fetches_both_and_tells_which_failed(store, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("fetch-backbones", "--folder", "elsewhere") == 2
    assert [(backbone, str(folder)) for backbone, folder, _ in store] == [
        ("resnet-50", "elsewhere"),
        ("resnet-101", "elsewhere"),
    ]
    output = capsys.readouterr()
    assert "elsewhere/resnet50_v1s.params" in output.out
    assert "resnet-101: OSError: no such file" in output.out + output.err


def test_an_unknown_backbone(store, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("fetch-backbones", "resnet-9") == 2
    assert "'resnet-9' is none of resnet-50, resnet-101" in capsys.readouterr().err
    assert store == []


def test_a_folder_that_takes_no_files_is_told_before_the_store_is_asked(
    store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make_read_only: Callable[[Path], None],
) -> None:
    make_read_only(tmp_path)
    assert exit_code("fetch-backbones", "resnet-50") == 2
    said = capsys.readouterr().err
    assert f"Nothing can be written to {tmp_path}: Read-only file system" in said
    assert "or name another --folder" in said
    assert store == []


def test_a_file_in_the_folder_s_place(
    store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert exit_code("fetch-backbones", "--folder", str(tmp_path / "file")) == 2
    assert f"{tmp_path / 'file'} is not a folder" in capsys.readouterr().err
    assert store == []


def test_a_folder_that_has_them_all_need_not_take_any(
    store, tmp_path: Path, make_read_only: Callable[[Path], None]
) -> None:
    (tmp_path / "resnet-50.params").touch()
    make_read_only(tmp_path)
    main(["fetch-backbones", "resnet-50"])
    assert [backbone for backbone, _, _ in store] == ["resnet-50"]
