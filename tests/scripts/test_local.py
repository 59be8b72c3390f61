import json
from pathlib import Path

import pytest

from scripts.local.endpoint import local_session
from scripts.local.training import TrainingFailed, train
from scripts.local.tree import CHANNELS, prepare

CONFIGS = Path("configs/demo")


@pytest.fixture
def job(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prepared tree whose four channels are empty."""
    monkeypatch.chdir(project)
    data = tmp_path / "data"
    for name in CHANNELS:
        (data / name).mkdir(parents=True)
    return prepare(tmp_path / "opt-ml", CONFIGS / "hyperparameters.json", CONFIGS, data)


def test_a_prepared_tree_has_what_sagemaker_gives(job: Path) -> None:
    assert json.loads((job / "input/config/hyperparameters.json").read_text())["num_classes"] == "4"
    assert (job / "input/config/resourceconfig.json").is_file()
    assert all((job / "input/data" / name).is_dir() for name in CHANNELS)
    assert list((job / "model").iterdir()) == []


def test_a_job_that_fails_is_told_with_its_last_words(job: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match="exit code 2") as failure:
        train(job, tmp_path / "train.log", lambda epoch: None)
    assert "holds no .jpg" in str(failure.value)


def test_no_proxy_is_asked_for_what_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    with local_session() as session:
        settings = session.merge_environment_settings("http://127.0.0.1/", {}, None, None, None)
    assert settings["proxies"] == {}
