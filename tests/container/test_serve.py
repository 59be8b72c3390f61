"""`docker run IMAGE serve`."""

import os
import socket
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from tests.container.container import HARDENED, UID, Container, mount, run, user
from tests.contract.training_job import CLASSES


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A JPEG file of 57 x 41 pixels."""
    pixels = np.random.default_rng(7).integers(0, 256, (41, 57, 3), np.uint8)
    body = BytesIO()
    Image.fromarray(pixels).save(body, "JPEG")
    return body.getvalue()


def ask(container: Container, photo: bytes, accept: str) -> bytes:
    answer = requests.post(
        f"{container.url}/invocations",
        data=photo,
        headers={"Content-Type": "image/jpeg", "Accept": accept},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_hardened_container_serves(image: str, trained: Path, photo: bytes, measured) -> None:
    options = (*HARDENED, user(UID), mount(trained, read_only=True))
    with Container(image, "serve", options=options) as container:
        seconds = container.until_it_answers()
        measured.append(f"{image}: /ping answers 200 {seconds:.1f} s after docker run")

        mask = np.array(Image.open(BytesIO(ask(container, photo, "image/png"))))
        assert (mask.shape, mask.dtype) == ((41, 57), np.uint8)
        assert mask.max() < CLASSES
        scores = np.load(BytesIO(ask(container, photo, "application/x-npy")))
        assert (scores.argmax(axis=0) == mask).mean() > 0.99

        container.until_healthy()
        # As many threads as the container may use CPUs, not as the host has.
        children = container.exec("cat", "/proc/1/task/1/children").split()
        variables = container.exec("cat", f"/proc/{children[0]}/environ").split("\0")
        assert "OMP_NUM_THREADS=1" in variables

        code, _ = container.stop()
        assert code == 0, container.log


def test_int8(cpu_image: str, trained: Path, photo: bytes) -> None:
    options = (
        *HARDENED,
        user(UID),
        mount(trained, read_only=True),
        "--env=SEMSEG_PRECISION=int8",
        "--env=SEMSEG_PRECISION_CHECK=off",  # whatever CPU the tests run on
    )
    with Container(cpu_image, "serve", options=options) as container:
        container.until_it_answers()
        mask = np.array(Image.open(BytesIO(ask(container, photo, "image/png"))))
        assert mask.shape == (41, 57)


def test_root_serves_as_on_sagemaker_on_the_port_it_is_given(
    cpu_image: str, trained: Path, photo: bytes
) -> None:
    options = (mount(trained), "--env=SAGEMAKER_BIND_TO_PORT=9000", "--publish=127.0.0.1::9000")
    with Container(cpu_image, "serve", options=options) as container:
        container.url = f"http://{container.address(9000)}"
        container.until_it_answers()
        assert ask(container, photo, "image/png").startswith(b"\x89PNG")
        container.until_healthy()


def test_a_dead_server_is_not_healthy_behind_an_init(cpu_image: str, trained: Path) -> None:
    options = ("--init", mount(trained, read_only=True))
    with Container(cpu_image, "serve", options=options) as container:
        container.until_it_answers()
        container.until_healthy()
        assert "gunicorn" not in container.exec("cat", "/proc/1/cmdline")
        container.exec("sh", "-c", "kill -STOP -1")  # all but the init and this shell
        with pytest.raises(subprocess.CalledProcessError) as unhealthy:
            container.exec("healthcheck")
        assert "/ping: timed out" in unhealthy.value.stderr


def test_a_port_that_is_taken(cpu_image: str, trained: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = f"--env=SAGEMAKER_BIND_TO_PORT={other.getsockname()[1]}"

        ended = run(cpu_image, "serve", options=("--network=host", port, mount(trained)))

    assert ended.returncode == 2
    assert f"Port {port.rpartition('=')[2]} cannot be used" in ended.stdout


def test_less_memory_than_the_model_takes(cpu_image: str, trained: Path) -> None:
    memory = ("--memory=256m", "--memory-swap=256m")

    ended = run(cpu_image, "serve", options=(*HARDENED, *memory, user(UID), mount(trained)))

    assert ended.returncode == 2
    assert "model_best.params needs at least" in ended.stdout
    assert "there are 256 MiB" in ended.stdout


def test_a_model_that_just_fails_to_fit(cpu_image: str, trained: Path) -> None:
    """The kernel kills the worker; gunicorn would start one after the other for ever."""
    memory = ("--memory=430m", "--memory-swap=430m")

    ended = run(cpu_image, "serve", options=(*HARDENED, *memory, user(UID), mount(trained)))

    assert ended.returncode == 3
    assert "Platform Error: A worker was ended while it loaded the model" in ended.stdout


def test_no_model(cpu_image: str, tmp_path: Path) -> None:
    os.makedirs(tmp_path / "model")

    ended = run(cpu_image, "serve", options=(mount(tmp_path),))

    assert ended.returncode == 2
    assert "hyperparams.json is missing" in ended.stdout
