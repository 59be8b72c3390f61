from argparse import Namespace
from pathlib import Path

import pytest

from semseg import __version__
from semseg.cli import main
from semseg.commands import check


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"semseg {__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "fetch-backbones" in capsys.readouterr().out


def test_ctrl_c_is_told_in_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: Namespace) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run", interrupted)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path), "--num-classes", "2"])
    assert ended.value.code == 130
    assert "Interrupted." in capsys.readouterr().err
