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

    monkeypatch.setattr(fetch_backbones, "fetch", fetch)
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
