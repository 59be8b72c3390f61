import os
import subprocess
import sys
from pathlib import Path

import pytest
from gunicorn.config import Config

from semseg.serving import gunicorn_config, metrics_folder
from semseg.serving.stopping import SECONDS_FOR_ANSWERS, StoppingHttpWorker


def test_gunicorn_knows_every_setting():
    config = Config()
    for name, value in vars(gunicorn_config).items():
        if name in config.settings:
            config.set(name, value)

    assert issubclass(config.worker_class, StoppingHttpWorker)
    assert config.worker_class.most_body == 6 * 1024 * 1024
    assert not config.preload_app
    assert 2 * SECONDS_FOR_ANSWERS < config.graceful_timeout < 30
    assert config.accesslog is None


@pytest.mark.parametrize("name", ["wsgi_app", "bind", "threads", "worker_exit", "child_exit"])
def test_no_setting_is_misspelled(name):
    assert name in Config().settings
    assert hasattr(gunicorn_config, name)


def end_a_server(folder: str | Path, metrics: str) -> None:
    """What gunicorn calls when it ends, where the environment names a folder of figures."""
    subprocess.run(
        [
            sys.executable,
            "-c",
            "from semseg.serving import gunicorn_config; gunicorn_config.on_exit(None)",
        ],
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "SEMSEG_METRICS": metrics,
            "PROMETHEUS_MULTIPROC_DIR": str(folder),
        },
    )


def test_there_is_room_for_the_longest_request():
    code = (
        "from semseg.serving.gunicorn_config import worker_class; "
        "print(worker_class.most_body, worker_class.most_waiting)"
    )
    environment = {**os.environ, "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1024"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment, capture_output=True
    ).stdout
    body, waiting = map(int, said.split())
    assert waiting >= body == 1024 << 20


@pytest.mark.parametrize("metrics", ["on", "off"])
def test_somebody_else_s_folder_outlives_the_server(tmp_path, metrics):
    (tmp_path / "valuable").write_text("more than figures")

    end_a_server(tmp_path, metrics)

    assert (tmp_path / "valuable").read_text() == "more than figures"


def test_the_server_s_own_folder_does_not():
    folder = Path(metrics_folder.make())
    (folder / "counter_1.db").touch()

    end_a_server(folder, "on")

    assert not folder.exists()
