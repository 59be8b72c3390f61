"""A job with quantize=True, and what is served of it in int8."""

import json
import random
import re
import shutil
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semseg.networks.artifact import BEST, CONFIGURATION, LAST
from semseg.networks.thresholds import THRESHOLDS
from tests.contract.server import Server
from tests.contract.test_serve_memory import MOST_GROWTH_MIB, MOST_MIB, worker_mib
from tests.contract.training_job import Run, TrainingJob

pytestmark = pytest.mark.slow

# Of the pixels, after three iterations: what they are is still anybody's guess. A network that was
# trained to some use agrees on more than 99 %.
AGREEMENT = 0.85

# Tests run on all sorts of CPUs, and beside each other.
INT8_ANYWHERE = {"SEMSEG_PRECISION": "int8", "SEMSEG_PRECISION_CHECK": "off"}

# MXNet, and one copy of the weights.
MOST_AT_FIRST_MIB = 500


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    job = TrainingJob(tmp_path_factory.mktemp("quantized") / "ml", quantize="True")
    yield Run(job, job.run())
    job.remove()


def mask(answer: bytes) -> np.ndarray:
    return np.array(Image.open(BytesIO(answer)))


def probabilities(server: Server, picture: bytes) -> np.ndarray:
    return np.load(BytesIO(server.post(picture, "application/x-npy").content))


def test_the_thresholds_come_beside_the_three_files(job: Run) -> None:
    assert job.outcome.exit_code == 0, job.outcome.log + job.outcome.errors
    assert job.job.model_files() == {BEST, LAST, CONFIGURATION, THRESHOLDS}
    assert (job.job.model / THRESHOLDS).stat().st_size < 20_000


def test_the_log_and_the_report_say_what_int8_costs(job: Run) -> None:
    assert "Calibrating the best model for int8 with 6 training images." in job.outcome.log
    (said,) = re.findall(r"mIOU: (\S+) in int8, (\S+) in float32\.", job.outcome.log)
    report = json.loads((job.job.model / THRESHOLDS).read_text())["report"]
    assert report["images"] == 3
    assert said == (str(report["int8"]["miou"]), str(report["float32"]["miou"]))
    (validated,) = re.findall(r"validation mIOU: (\S+) \.", job.outcome.log)
    assert report["float32"]["miou"] == pytest.approx(float(validated), abs=0.01)
    assert report["same_class"] >= AGREEMENT


def test_it_is_served_in_int8_within_its_memory(
    job: Run, image_file: Callable[..., bytes], tmp_path: Path
) -> None:
    pictures = [path.read_bytes() for path in sorted(job.job.channel("train").iterdir())]
    with Server(job.job.base, tmp_path / "float32") as server:
        server.wait_until(200)
        expected = [mask(server.post(picture).content) for picture in pictures]
        float32 = probabilities(server, pictures[0])
    sizes = random.Random(1)
    with Server(job.job.base, tmp_path / "int8", **INT8_ANYWHERE) as server:
        server.wait_until(200)
        deadline = time.monotonic() + 30  # what loading took is given back after the first 200
        while worker_mib(server) >= MOST_AT_FIRST_MIB:
            assert time.monotonic() < deadline, worker_mib(server)
            time.sleep(0.1)
        found = [mask(server.post(picture).content) for picture in pictures]
        assert np.abs(probabilities(server, pictures[0]) - float32).max() > 0

        def ask(images: int) -> float:
            for _ in range(images):
                image = image_file(sizes.randrange(33, 200), sizes.randrange(33, 200))
                assert server.post(image).status_code == 200
            return worker_mib(server)

        settled = ask(30)
        later = ask(30)
    assert np.mean(np.stack(expected) == np.stack(found)) >= AGREEMENT
    assert later < MOST_MIB
    assert later - settled < MOST_GROWTH_MIB


def test_a_model_without_thresholds_is_not_served_in_int8(
    served_tree: Path, tmp_path: Path
) -> None:
    with Server(served_tree, tmp_path / "log", SEMSEG_PRECISION="int8") as server:
        assert server.wait(10) == 2
    assert f"There is no {THRESHOLDS}" in server.log
    assert "semseg quantize" in server.log


def test_nor_is_one_with_those_of_another_model(
    job: Run, served_tree: Path, tmp_path: Path
) -> None:
    shutil.copytree(served_tree / "model", tmp_path / "model")
    shutil.copy(job.job.model / THRESHOLDS, tmp_path / "model")
    with Server(tmp_path, tmp_path / "log", SEMSEG_PRECISION="int8") as server:
        assert server.wait(10) == 2
    assert "made for other parameters" in server.log


def test_an_unknown_precision_is_refused(served_tree: Path, tmp_path: Path) -> None:
    with Server(served_tree, tmp_path / "log", SEMSEG_PRECISION="int4") as server:
        assert server.wait(10) == 2
    assert "SEMSEG_PRECISION is 'int4': give one of float32, int8, float16." in server.log


def test_float16_without_a_gpu_is_refused(served_tree: Path, tmp_path: Path) -> None:
    with Server(served_tree, tmp_path / "log", SEMSEG_PRECISION="float16") as server:
        assert server.wait(10) == 2
    assert "SEMSEG_PRECISION=float16 is for GPUs, and this container has none" in server.log
