"""Other networks, a pretrained backbone, and jobs that end before their last epoch."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from semseg.networks.parameter_file import read_shapes
from tests.contract.training_job import Outcome, TrainingJob, logits_of

pytestmark = pytest.mark.slow

# Neither a multiple of 8, nor one of another, nor larger than the crop in both directions.
ODD_SIZES = ((37, 53), (61, 45), (33, 29), (70, 31), (45, 61), (53, 37))
# So small a step that a network stays what it was.
STANDSTILL = {"optimizer": "sgd", "learning_rate": "0.0000001"}


def odd_job(base: Path, **hyperparameters: str) -> TrainingJob:
    """Images of odd sizes, which validation takes whole."""
    return TrainingJob(
        base,
        training_sizes=ODD_SIZES,
        validation_sizes=ODD_SIZES[:3],
        validation_mini_batch_size="1",
        **hyperparameters,
    )


def last_epoch(log: str) -> int:
    return max(map(int, re.findall(r"epoch: (\d+), validation mIOU", log)))


@pytest.fixture(scope="module")
def psp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TrainingJob, Outcome]]:
    """PSP, told to stop after one epoch that does not double the best mIOU."""
    job = odd_job(
        tmp_path_factory.mktemp("psp") / "ml",
        algorithm="psp",
        epochs="5",
        early_stopping="True",
        early_stopping_min_epochs="1",
        early_stopping_patience="1",
        early_stopping_tolerance="1",
        **STANDSTILL,
    )
    yield job, job.run()
    job.remove()


def test_psp_trains_and_validates_on_odd_sizes(psp: tuple[TrainingJob, Outcome]):
    job, outcome = psp

    assert outcome.exit_code == 0, outcome.log + outcome.errors
    assert job.model_files() == {"model_algo-1", "model_best.params", "hyperparams.json"}


def test_psp_loads_in_gluoncv_and_says_the_same_there(psp: tuple[TrainingJob, Outcome]):
    theirs, ours = logits_of(psp[0].model / "model_algo-1", "psp")

    assert np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max()


def test_early_stopping_ends_the_job_well(psp: tuple[TrainingJob, Outcome]):
    _, outcome = psp
    stopped = last_epoch(outcome.log)

    assert 1 <= stopped < 4
    assert f"Early stopping at epoch {stopped}. Best validation mIOU: 0." in outcome.log
    assert outcome.log.index("Early stopping") < outcome.log.index("model_algo-1")
    assert f'"epochs": {{"sum": {stopped + 1}.0' in outcome.log
    assert "Test data is not provided." in outcome.log


@pytest.fixture(scope="module")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a classifier of random weights, as GluonCV saves it, in half precision."""
    import mxnet as mx
    from gluoncv.model_zoo import resnet50_v1s

    mx.random.seed(5)
    classifier = resnet50_v1s(classes=10)
    classifier.initialize(mx.init.MSRAPrelu())
    classifier(mx.nd.zeros((1, 3, 32, 32))).wait_to_read()  # or its weights may not be read yet
    classifier.cast("float16")
    folder = tmp_path_factory.mktemp("backbones")
    classifier.save_parameters(str(folder / "resnet50_v1s-test.params"))
    return folder


@pytest.fixture(scope="module")
def deeplab(
    tmp_path_factory: pytest.TempPathFactory, backbones: Path
) -> Iterator[tuple[TrainingJob, Outcome]]:
    """DeepLab on a pretrained backbone."""
    base = tmp_path_factory.mktemp("deeplab") / "ml"
    job = odd_job(base, algorithm="deeplab", use_pretrained_model="True", **STANDSTILL)
    yield job, job.run(SEMSEG_BACKBONES=str(backbones))
    job.remove()


def test_deeplab_trains_and_validates_on_odd_sizes(deeplab: tuple[TrainingJob, Outcome]):
    job, outcome = deeplab

    assert outcome.exit_code == 0, outcome.log + outcome.errors
    assert job.model_files() == {"model_algo-1", "model_best.params", "hyperparams.json"}


def test_deeplab_loads_in_gluoncv_and_says_the_same_there(deeplab: tuple[TrainingJob, Outcome]):
    theirs, ours = logits_of(deeplab[0].model / "model_algo-1", "deeplab")

    assert np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max()


def test_training_starts_from_the_pretrained_backbone(
    deeplab: tuple[TrainingJob, Outcome], backbones: Path
):
    import mxnet as mx

    before = mx.nd.load(str(backbones / "resnet50_v1s-test.params"))
    after = mx.nd.load(str(deeplab[0].model / "model_algo-1"))

    for name in ("conv1.0.weight", "layer1.0.conv1.weight", "layer4.2.conv3.weight"):
        assert after[name].dtype == np.float32
        was, is_now = before[name].astype("float32").asnumpy(), after[name].asnumpy()
        np.testing.assert_allclose(is_now, was, atol=0.01 * was.std())


def test_a_diverging_job_names_iteration_and_rate_and_keeps_the_best_model(tmp_path):
    """A decay of 10 * 0.99 a step, the heads' rate being tenfold, overflows after a few epochs."""
    job = TrainingJob(
        tmp_path / "ml", optimizer="sgd", learning_rate="1", weight_decay="0.99", epochs="30"
    )

    outcome = job.run()

    assert outcome.exit_code == 2, outcome.log
    assert outcome.failure is not None
    assert outcome.failure in outcome.log
    assert "Customer Error: " in outcome.log
    said = re.search(r"epoch (\d+), iteration (\d+) .* learning_rate (0\.\d+)", outcome.failure)
    assert said, outcome.failure
    assert int(said[1]) == last_epoch(outcome.log) + 1
    assert job.model_files() == {"model_best.params", "hyperparams.json"}
    assert_sound(job.model / "model_best.params")
    job.remove()


def test_a_killed_job_leaves_whole_files(tmp_path):
    """Killed while it writes the last file, some 140 MB."""
    job = TrainingJob(tmp_path / "ml")

    with job.start() as process:
        for line in process.stdout:
            if line.rstrip().endswith("model_algo-1"):
                break
        while len(job.model_files()) < 3 and process.poll() is None:
            time.sleep(0.001)
        process.kill()

    assert process.returncode == -9
    whole = read_shapes(job.model / "model_best.params")
    if (job.model / "model_algo-1").exists():
        assert read_shapes(job.model / "model_algo-1") == whole
    assert (job.model / "hyperparams.json").read_text().endswith("}\n")
    assert_sound(job.model / "model_best.params")
    job.remove()


def assert_sound(parameters: Path) -> None:
    """The file loads, and every value is a number."""
    import mxnet as mx

    arrays = mx.nd.load(str(parameters))
    assert len(arrays) > 250
    assert [name for name, array in arrays.items() if not np.isfinite(array.asnumpy()).all()] == []
