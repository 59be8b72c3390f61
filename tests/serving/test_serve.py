import logging
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from semseg import serve
from semseg.networks.architecture import Architecture
from semseg.networks.artifact import Artifact
from semseg.sagemaker.errors import CustomerError
from semseg.serving.settings import Settings


def test_a_free_port_can_be_had():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    serve.check_port(port)


def test_a_port_in_use_is_told_with_the_variable_that_moves_it():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CustomerError, match=f"Port {port} .*SAGEMAKER_BIND_TO_PORT"):
            serve.check_port(port)


def test_int8_is_not_for_gpus(tmp_path):
    artifact = Artifact(Architecture("fcn", "resnet-50", 3), tmp_path / "model_best.params", {})
    with pytest.raises(CustomerError, match="int8 is for CPUs, and this container has a GPU"):
        serve.check_precision("int8", artifact, gpus=1)
    with pytest.raises(CustomerError, match="semseg quantize"):
        serve.check_precision("int8", artifact, gpus=0)


def test_float16_is_for_gpus(tmp_path):
    artifact = Artifact(Architecture("fcn", "resnet-50", 3), tmp_path / "model_best.params", {})
    with pytest.raises(CustomerError, match="float16 is for GPUs, and this container has none"):
        serve.check_precision("float16", artifact, gpus=0)
    serve.check_precision("float16", artifact, gpus=1)
    for gpus in (0, 1):
        serve.check_precision("float32", artifact, gpus)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_gunicorn_gets_what_its_workers_need(monkeypatch, precision):
    calls = []
    monkeypatch.setattr(os, "execvpe", lambda *call: calls.append(call))
    monkeypatch.setattr(
        serve,
        "serving_environment",
        lambda workers, int8: {"OMP": f"n/{workers}", "INT8": str(int8)},
    )

    serve.become_gunicorn(Settings(workers=3, precision=precision), max_pixels=1000)

    [(program, command, environment)] = calls
    assert program == sys.executable
    assert command[1:3] == ["-m", "gunicorn"]
    assert environment["OMP"] == "n/3"
    assert environment["INT8"] == str(precision == "int8")
    assert environment["SEMSEG_MAX_PIXELS"] == "1000"
    assert environment["PATH"] == os.environ["PATH"]
    folder = Path(environment["PROMETHEUS_MULTIPROC_DIR"])
    assert folder.is_dir()
    folder.rmdir()


def test_what_the_user_set_stays(monkeypatch):
    calls = []
    monkeypatch.setattr(os, "execvpe", lambda *call: calls.append(call))
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("SEMSEG_MAX_PIXELS", "9")

    serve.become_gunicorn(Settings(metrics=False), max_pixels=1000)

    assert calls[0][2]["OMP_NUM_THREADS"] == "7"
    assert calls[0][2]["SEMSEG_MAX_PIXELS"] == "9"
    assert "PROMETHEUS_MULTIPROC_DIR" not in calls[0][2]


@pytest.mark.parametrize("metrics", [True, False])
@pytest.mark.parametrize("name", ["PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"])
def test_another_program_s_folder_of_figures_is_not_used(monkeypatch, tmp_path, name, metrics):
    calls = []
    monkeypatch.setattr(os, "execvpe", lambda *call: calls.append(call))
    monkeypatch.setenv(name, str(tmp_path))

    serve.become_gunicorn(Settings(metrics=metrics), max_pixels=1000)

    environment = calls[0][2]
    assert str(tmp_path) not in environment.values()
    assert ("PROMETHEUS_MULTIPROC_DIR" in environment) == metrics
    if metrics:
        Path(environment["PROMETHEUS_MULTIPROC_DIR"]).rmdir()


@pytest.fixture
def _process_as_it_was():
    logger = logging.getLogger("semseg")
    state = (logger.handlers[:], logger.level, logger.propagate)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    logger.handlers, logger.level, logger.propagate = state
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@pytest.mark.usefixtures("_process_as_it_was")
def test_what_is_wrong_is_one_line_and_the_customer_s_exit_code(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))

    assert serve.main() == 2

    output = capsys.readouterr().out
    assert "Customer Error: " in output
    assert str(tmp_path / "model") in output
    assert output.count("\n") == 1


def test_nothing_of_it_imports_mxnet():
    assert "mxnet" not in dir(serve)
    import subprocess

    code = (
        "import semseg.serve, semseg.serving.gunicorn_config, sys; sys.exit('mxnet' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=_without_settings())


def _without_settings() -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if "SAGEMAKER" not in key}
    return {**environment, "PYTHONPATH": os.pathsep.join(sys.path)}
