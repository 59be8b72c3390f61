"""Jobs that start from an earlier job's model: the channel `model`."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from semseg.networks.artifact import BEST
from tests.contract.refusals import assert_refused, break_data, run_without_network
from tests.contract.test_train_log import END, EPOCH, NOT_SAVED, SAVED_TWICE, START, kinds
from tests.contract.test_train_streams import piped
from tests.contract.training_job import Run, TrainingJob
from tests.contract.watched import files
from tests.networks.skeleton import pack, save_model, save_skeleton

SETTINGS = {"ContentType": "application/x-sagemaker-model", "TrainingInputMode": "File"}
SAID = {"algorithm": "fcn", "backbone": "resnet-50", "num_classes": "3", "crop_size": "32"}

LOADED = "INFO Loading weights from /opt/ml/input/data/model/model.tar.gz"
# What comes before the lines of a validation, and after them.
VALIDATING = (
    "INFO Validating the seed model /opt/ml/input/data/model/model.tar.gz before the first "
)
BEFORE_EPOCHS = [f"{VALIDATING}epoch.", *EPOCH[3:8]]


def mious(log: str) -> list[float]:
    return [float(value) for value in re.findall(r"epoch: \d+, validation mIOU: (\S+) \.", log)]


def accuracies(log: str) -> list[float]:
    return [float(value) for value in re.findall(r"validation pixel_accuracy: (\S+) \.", log)]


def add_seed(job: TrainingJob, model: Path) -> Path:
    """Gives a job the packed model of another one; the archive."""
    folder = job.add_channel("model", SETTINGS)
    folder.mkdir()
    return pack(model, folder / "model.tar.gz")


@pytest.fixture(scope="module")
def seeded(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One epoch from the best model of `run`. It asks for a backbone, and none is to be had."""
    folder = tmp_path_factory.mktemp("seeded")
    job = TrainingJob(folder / "ml", use_pretrained_model="True")
    add_seed(job, run.job.model)
    (folder / "no-backbones").mkdir()
    yield Run(job, run_without_network(job, folder / "no-backbones"))
    job.remove()


@pytest.mark.slow
def test_it_succeeds_and_needs_no_backbone(seeded: Run) -> None:
    assert seeded.outcome.exit_code == 0, seeded.outcome.log + seeded.outcome.errors
    assert seeded.job.model_files() == {"model_algo-1", "model_best.params", "hyperparams.json"}


@pytest.mark.slow
def test_the_first_validation_is_that_of_the_earlier_jobs_best_model(run: Run, seeded: Run) -> None:
    best = max(mious(run.outcome.log))
    which = mious(run.outcome.log).index(best)
    assert mious(seeded.outcome.log)[0] == best
    assert accuracies(seeded.outcome.log)[0] == accuracies(run.outcome.log)[which]
    assert len(mious(seeded.outcome.log)) == 2


@pytest.mark.slow
def test_the_best_model_is_the_seed_or_one_that_is_better(run: Run, seeded: Run) -> None:
    before, after = mious(seeded.outcome.log)
    best, last = ((seeded.job.model / name).read_bytes() for name in (BEST, "model_algo-1"))
    assert best == (last if after > before else (run.job.model / BEST).read_bytes())
    assert last != (run.job.model / BEST).read_bytes()


@pytest.mark.slow
def test_the_log_says_what_training_starts_from_and_what_that_is_worth(seeded: Run) -> None:
    found = kinds(seeded.lines)
    assert found.count(LOADED) == 1
    assert found.index(LOADED) < found.index(BEFORE_EPOCHS[0])
    found.remove(LOADED)
    start = [line for line in START if "readable" not in line]
    assert found[: len(start)] == start
    first = found[len(start) : len(start) + len(BEFORE_EPOCHS)]
    assert first == BEFORE_EPOCHS
    assert found[len(start) + len(first) : -len(END)] in (SAVED_TWICE, NOT_SAVED)
    assert found[-len(END) :] == END


@pytest.mark.slow
def test_unpacked_next_to_pipes_and_part_of_what_a_checkpoint_belongs_to(
    run: Run, tmp_path: Path
) -> None:
    job, pipes = piped(tmp_path / "ml", epochs_sent=3)
    folder = job.add_channel("model", SETTINGS)
    shutil.copytree(run.job.model, folder)
    job.want_checkpoints()

    outcome = job.run()

    assert outcome.exit_code == 0, outcome.log + outcome.errors
    assert mious(outcome.log)[0] == max(mious(run.outcome.log))
    training, validation = pipes
    assert training.written == len(training.contents[0])
    assert validation.written == 2 * len(validation.contents[0])
    models = files(job.model)

    again = job.run()

    assert again.exit_code == 0, again.log
    assert "Resuming from " in again.log
    assert mious(again.log) == []
    assert not re.search("Validating|Loading weights", again.log)
    assert files(job.model) == models

    save_skeleton(folder / BEST)
    other = job.run(trace_imports=True)

    assert other.exit_code == 2
    assert other.failure is not None
    assert re.search(
        r"^seed model: [0-9a-f]{16} in the checkpoint, [0-9a-f]{16} now$", other.failure, re.M
    )
    assert not other.imported("mxnet")

    job.drop_channel("model")
    without = job.run()

    assert without.exit_code == 2
    assert without.failure is not None
    assert re.search(
        "^seed model: [0-9a-f]{16} in the checkpoint, none now$", without.failure, re.M
    )
    job.remove()


def test_all_differences_are_named_at_once_before_backbones_and_data(tmp_path: Path) -> None:
    job = TrainingJob(
        tmp_path / "ml", algorithm="psp", num_classes="4", use_pretrained_model="True"
    )
    model = save_model(tmp_path / "earlier", {**SAID, "crop_size": "48"}, backbone="resnet-101")
    (model / "hyperparams.json").write_text('{"crop_size": "48"}')
    archive = add_seed(job, model)
    break_data(job)

    outcome = job.run(trace_imports=True)

    message = assert_refused(job, outcome)
    assert outcome.failure == message
    assert message.splitlines() == [
        f"The seed model {archive} is another kind of model than the job's: it differs in "
        "algorithm, backbone, num_classes, crop_size. Give the job the values that the model has, "
        "or leave out the channel model.",
        "algorithm: fcn there, psp here",
        "backbone: resnet-101 there, resnet-50 here",
        "num_classes: 3 there, 4 here",
        "crop_size: 48 there, 32 here",
    ]
    assert not outcome.imported("mxnet")


def test_an_archive_that_was_cut_short_is_refused_before_the_data_are_read(tmp_path: Path) -> None:
    job = TrainingJob(tmp_path / "ml")
    archive = add_seed(job, save_model(tmp_path / "earlier", SAID))
    archive.write_bytes(archive.read_bytes()[:-20])
    break_data(job)

    outcome = job.run(trace_imports=True)

    assert assert_refused(job, outcome).startswith(f"{archive} is damaged or cut short")
    assert not outcome.imported("mxnet")


def test_an_empty_channel_is_refused(tmp_path: Path) -> None:
    job = TrainingJob(tmp_path / "ml")
    job.add_channel("model").mkdir()
    assert assert_refused(job, job.run()).startswith("The channel model holds no model: ")


def test_parameters_of_other_shapes_are_refused_before_training(tmp_path: Path) -> None:
    job = TrainingJob(tmp_path / "ml")
    archive = add_seed(job, save_model(tmp_path / "earlier", SAID))
    message = assert_refused(job, job.run())
    assert message.startswith(
        f"The seed model {archive} does not fit: conv1.0.weight has shape (1,)"
    )
