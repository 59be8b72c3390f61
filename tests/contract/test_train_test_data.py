"""Jobs with a test channel: scored once, at the end, and never at the model's cost."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.contract.refusals import assert_refused
from tests.contract.test_train_log import END, kinds
from tests.contract.test_train_streams import PIPE, records, take_payloads
from tests.contract.training_job import EPOCHS, PREFIX, Outcome, Run, TrainingJob
from tests.contract.watched import Watched, files, said
from tests.data.pipe import Pipe

SCORED = """\
INFO Loading weights from /opt/ml/model/model_best.params
INFO #progress_notice. epoch: <int>, iterations: <int> speed: <float> samples/sec
INFO #quality_metric. host: algo-1, epoch: <int>, test pixel_accuracy: <float> .
INFO #quality_metric. host: algo-1, epoch: <int>, test mIOU: <float> .
INFO #throughput_metric. host: algo-1, epoch: <int>, test throughput: <float> samples/sec.
""".splitlines()


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Two epochs with checkpoints, and the pictures of validation as test data."""
    job = TrainingJob(tmp_path_factory.mktemp("tested") / "ml", epochs=str(EPOCHS))
    job.add_test_data()
    job.want_checkpoints()
    yield Run(job, job.run())
    job.remove()


def scores(outcome: Outcome, part: str) -> list[dict[str, float]]:
    """Pixel accuracy and mIOU each time the log has both."""
    names = (f"{part} pixel_accuracy", f"{part} mIOU")
    found = [re.findall(rf"{name}: (\S+) \.", outcome.log) for name in names]
    return [
        {"pixel_accuracy": float(accuracy), "mIOU": float(miou)}
        for accuracy, miou in zip(*found, strict=True)
    ]


@pytest.mark.slow
def test_it_is_scored_once_where_the_original_says_that_there_is_none(tested: Run) -> None:
    assert tested.outcome.exit_code == 0, tested.outcome.log + tested.outcome.errors
    found = kinds(tested.lines)
    *before, last = END
    assert found[-len(SCORED) - len(END) + 1 :] == [*before[:-1], *SCORED, last]
    assert "Test data is not provided." not in tested.outcome.log
    assert tested.outcome.log.count("test mIOU") == 1
    assert f"epoch: {EPOCHS - 1}, test mIOU" in tested.outcome.log


@pytest.mark.slow
def test_the_best_model_is_scored_as_in_validation(tested: Run) -> None:
    best = max(scores(tested.outcome, "validation"), key=lambda score: score["mIOU"])
    assert scores(tested.outcome, "test") == [best]


@pytest.mark.slow
def test_the_metric_definitions_find_it(tested: Run, project: Path) -> None:
    definitions = json.loads((project / "configs" / "metric-definitions.json").read_text())
    of_test = [one for one in definitions if one["Name"].startswith("test:")]
    assert len(of_test) == 3
    assert [len(re.findall(one["Regex"], tested.outcome.log)) for one in of_test] == [1, 1, 1]


@pytest.mark.slow
def test_it_has_a_label_map_like_the_other_parts(tested: Run) -> None:
    found = [PREFIX.sub(r"\1 ", line) for line in tested.lines if "#label_map" in line]
    assert found[-1] == "INFO #label_map test :{'scale': 1}"


@pytest.mark.slow
def test_a_job_that_is_through_is_scored_when_it_is_run_again(tested: Run, tmp_path: Path) -> None:
    """As after a spot instance was taken away during the test. Here the test data are a stream: the
    first time a whole one, then a broken one, then one that does not come."""
    job = TrainingJob(tmp_path / "ml", epochs=str(EPOCHS))
    shutil.copytree(tested.job.base / "checkpoints", job.want_checkpoints())
    job.add_test_data()
    content = records(take_payloads(job, "test"))
    job.drop_channel("test_annotation")
    job.add_channel("test", PIPE)
    pipe = Pipe(job.channel("test"), [content])

    outcome = job.run()

    assert outcome.exit_code == 0, outcome.log + outcome.errors
    assert pipe.is_done()
    assert scores(outcome, "test") == scores(tested.outcome, "test")
    assert scores(outcome, "validation") == []
    models = files(job.model)
    assert models == files(tested.job.model)

    pipe.fifo(0).unlink()
    Pipe(job.channel("test"), [content[:-100]])
    broken = job.run()

    assert broken.exit_code == 0, broken.log + broken.errors
    assert broken.failure is None
    [line] = [line for line in broken.log.splitlines() if " ERROR " in line]
    assert "The test data could not be scored; the models are whole, and kept." in line
    assert "Customer Error: 1 problem in the data: 1 broken record." in line
    assert re.search(r"^test_0, record 5 at byte \d+: ", broken.log, re.MULTILINE)
    assert scores(broken, "test") == []
    assert files(job.model) == models
    assert broken.log.splitlines()[-1].startswith("#metrics ")

    job.channel("test_0").unlink()
    with Watched(job) as train:
        assert train.wait_until(said("Loading weights from .*/model_best.params"))
        train.terminate()
        assert train.end() == 0, train.log
    assert "Stop requested (SIGTERM): ending at once, there is nothing to save." in train.log
    assert files(job.model) == models
    job.remove()


def test_what_is_wrong_with_it_is_said_with_all_the_rest(tmp_path: Path) -> None:
    job = TrainingJob(tmp_path / "ml")
    job.add_test_data()
    (job.channel("validation") / "0.jpg").write_bytes(b"no image")
    (job.channel("test_annotation") / "1.png").unlink()
    Image.fromarray(np.full((50, 70), 3, np.uint8)).save(job.channel("test_annotation") / "2.png")

    outcome = job.run(trace_imports=True)

    message = assert_refused(job, outcome)
    assert message.startswith("3 problems in the data: ")
    for where in ("validation/0.jpg: ", "test/1.jpg: there is no ", "test_annotation/2.png: label"):
        assert f"\n{where}" in message
    assert not outcome.imported("mxnet")


def test_masks_without_images_are_refused_at_once(tmp_path: Path) -> None:
    job = TrainingJob(tmp_path / "ml")
    job.add_channel("test_annotation").mkdir()
    message = assert_refused(job, job.run())
    assert message.startswith("inputdataconfig.json: 1 problem (test)")
