"""Jobs that `train` refuses: when, in which words, and leaving what behind."""

import json
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.contract.training_job import Outcome, TrainingJob


def assert_refused(job: TrainingJob, outcome: Outcome) -> str:
    """The customer's error, said in the log and in the failure file; returns the whole of it."""
    assert outcome.exit_code == 2, outcome.log + outcome.errors
    assert job.model_files() == set()
    assert "Traceback" not in outcome.log + outcome.errors
    assert outcome.failure is not None
    assert 0 < len(outcome.failure) <= 1024
    said = outcome.log.split("Customer Error: ")
    assert len(said) == 2, outcome.log
    message = said[1].rstrip("\n")
    assert message.startswith(outcome.failure.split("\n... (cut")[0])
    return message


def test_all_bad_hyperparameters_are_named_at_once(tmp_path):
    bad = {
        "num_classes": "255",
        "epochs": "ten",
        "learning_rate": "0",
        "crop_size": "16",
        "lr_scheduler": "step",
        "optimizer": "SGD",
        "mini_batch_siz": "4",
    }
    job = TrainingJob(tmp_path / "ml", **bad)

    outcome = job.run(trace_imports=True)

    message = assert_refused(job, outcome)
    assert outcome.failure == message
    assert message.startswith("hyperparameters.json: 7 problems (")
    for name, value in bad.items():
        if name != "lr_scheduler":
            assert f"{name}: found {value!r}" in message
    assert "lr_scheduler_step: no value was specified" in message
    assert "did you mean 'mini_batch_size'?" in message
    assert not outcome.imported("mxnet")


def test_a_message_too_long_for_the_failure_file_is_whole_in_the_log(tmp_path):
    unknown = {f"unknown_{number}": "1" for number in range(40)}
    job = TrainingJob(tmp_path / "ml", **unknown)

    outcome = job.run()

    message = assert_refused(job, outcome)
    assert outcome.failure.startswith("hyperparameters.json: 40 problems (unknown_0, ")
    assert outcome.failure.endswith("(cut: the whole message is in the log)")
    assert all(f"{name}: found '1'" in message for name in unknown)


def break_channels(job: TrainingJob) -> None:
    modes = {"train": "Pipe", "train_annotation": "File", "validaton": "File"}
    job.configure(
        "inputdataconfig", {name: {"TrainingInputMode": mode} for name, mode in modes.items()}
    )


def break_data(job: TrainingJob) -> None:
    (job.channel("train_annotation") / "0.png").unlink()
    (job.channel("train") / "1.jpg").unlink()
    Image.new("L", (50, 70)).save(job.channel("train_annotation") / "2.png")
    Image.new("L", (70, 50), 3).save(job.channel("train_annotation") / "3.png")
    Image.new("RGB", (70, 50)).save(job.channel("train_annotation") / "4.png")
    cut = job.channel("train") / "5.jpg"
    cut.write_bytes(cut.read_bytes()[:-300])
    (job.channel("validation") / "0.jpg").write_bytes(b"no image")


def test_all_bad_files_are_named_at_once(tmp_path):
    job = TrainingJob(tmp_path / "ml")
    break_data(job)

    outcome = job.run(trace_imports=True)

    message = assert_refused(job, outcome)
    assert message.startswith("7 problems in the data: ")
    for where, words in (
        ("train/0.jpg", "there is no train_annotation/0.png"),
        ("train_annotation/1.png", "there is no train/1.jpg"),
        ("train_annotation/2.png", "the mask has 50 x 70 pixels, its image 70 x 50"),
        ("train_annotation/3.png", "label 3 (3500 pixels): with num_classes=3, labels are 0..2"),
        ("train_annotation/4.png", "RGB"),
        ("train/5.jpg", "truncated"),
        ("validation/0.jpg", "image"),
    ):
        [line] = [line for line in message.splitlines() if line.startswith(f"{where}: ")]
        assert words in line
    assert not outcome.imported("mxnet")


def test_complaints_come_in_the_order_hyperparameters_channels_data(tmp_path):
    """Those of hyperparameters and channels at once; the data need them, and come next."""
    job = TrainingJob(tmp_path / "ml", epochs="0")
    good = json.loads((job.base / "input" / "config" / "inputdataconfig.json").read_text())
    hyperparameters = job.base / "input" / "config" / "hyperparameters.json"
    break_channels(job)
    break_data(job)

    first = assert_refused(job, job.run())
    summaries = first.splitlines()[:2]
    assert summaries[0] == "hyperparameters.json: 1 problem (epochs)"
    assert summaries[1].startswith("inputdataconfig.json: 4 problems (")
    assert "\nepochs: found '0'" in first
    assert "\nvalidaton: " in first

    hyperparameters.write_text(
        hyperparameters.read_text().replace('"epochs": "0"', '"epochs": "1"')
    )
    second = assert_refused(job, job.run())
    assert second.startswith("inputdataconfig.json: 4 problems (")
    for name in ("validation", "validation_annotation", "train", "validaton"):
        assert f"\n{name}: " in second
    assert "did you mean 'validation'?" in second

    job.configure("inputdataconfig", good)
    assert assert_refused(job, job.run()).startswith("7 problems in the data: ")


@pytest.mark.parametrize("name", ["hyperparameters", "inputdataconfig"])
def test_a_missing_or_malformed_file_is_named(tmp_path, name):
    job = TrainingJob(tmp_path / "ml")
    path = job.base / "input" / "config" / f"{name}.json"

    path.write_text('{"epochs": "1",}')
    malformed = assert_refused(job, job.run())
    path.unlink()
    missing = assert_refused(job, job.run())

    assert malformed.startswith(f"{name}.json is not valid JSON: ")
    assert "line 1, column 16" in malformed
    assert missing.startswith(f"{name}.json is missing")


@pytest.fixture
def pretrained_job(tmp_path: Path) -> TrainingJob:
    """A job that wants a pretrained backbone, with data that are not sound either."""
    job = TrainingJob(tmp_path / "ml", use_pretrained_model="True")
    break_data(job)
    return job


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for backbones; empty."""
    folder = tmp_path / "backbones"
    folder.mkdir()
    return folder


def run_without_network(job: TrainingJob, folder: Path, **variables: str) -> Outcome:
    """Runs a job that finds backbones in `folder` only: at the store's address nobody listens."""
    elsewhere = {
        "SEMSEG_BACKBONES": str(folder),
        "MXNET_HOME": str(folder.parent / "mxnet"),
        "MXNET_GLUON_REPO": "http://127.0.0.1:9/",
    }
    return job.run(**{**elsewhere, **variables})


def assert_both_ways_out(message: str, folder: Path) -> None:
    assert message.startswith("The pretrained weights of resnet-50 are not to be had: ")
    assert f"resnet50_v1s*.params in {folder}" in message
    assert "semseg fetch-backbones" in message
    assert "use_pretrained_model=False" in message
    assert "\n" not in message


def test_no_backbone_to_be_had_is_said_before_the_data_are_read(pretrained_job, folder):
    outcome = run_without_network(pretrained_job, folder)

    assert_both_ways_out(assert_refused(pretrained_job, outcome), folder)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A mirror of GluonCV's model store: the folder of its files, and its address."""
    files = tmp_path / "mirror"
    (files / "gluon" / "models").mkdir(parents=True)
    handler = partial(QuietHandler, directory=str(files))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield files / "gluon" / "models", f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_mirrors_file_with_another_checksum_is_not_taken(pretrained_job, folder, mirror):
    from gluoncv.model_zoo import model_store

    files, address = mirror
    name = f"resnet50_v1s-{model_store.short_hash('resnet50_v1s')}"
    with zipfile.ZipFile(files / f"{name}.zip", "w") as archive:
        archive.writestr(f"{name}.params", b"not what GluonCV knows")

    outcome = run_without_network(pretrained_job, folder, MXNET_GLUON_REPO=address)

    message = assert_refused(pretrained_job, outcome)
    assert_both_ways_out(message, folder)
    assert "different hash" in message


def save_backbone(path: Path, blocks: tuple[int, ...], channels: int) -> None:
    """A small parameter file that looks like a ResNet v1s with these blocks in its stages."""
    import mxnet as mx

    arrays = {"conv1.0.weight": mx.nd.zeros((channels, 3, 3, 3))}
    for stage, count in enumerate(blocks, start=1):
        for block in range(count):
            arrays[f"layer{stage}.{block}.conv3.weight"] = mx.nd.zeros((1,))
    mx.nd.save(str(path), arrays)


RESNET_50, RESNET_101 = (3, 4, 6, 3), (3, 4, 23, 3)


def a_cut_file(path: Path) -> Path:
    save_backbone(path, RESNET_50, 64)
    path.write_bytes(path.read_bytes()[:2000])
    return path


def a_corrupted_file(path: Path) -> Path:
    path = path.with_name("resnet50_v1s-25a187fa.params")
    save_backbone(path, RESNET_50, 64)
    return path


def no_parameter_file(path: Path) -> Path:
    path.write_text("<html>404 not found</html>")
    return path


def another_backbones_file(path: Path) -> Path:
    save_backbone(path, RESNET_101, 64)
    return path


def another_networks_file(path: Path) -> Path:
    import mxnet as mx

    mx.nd.save(str(path), {"dense.weight": mx.nd.array(np.zeros((2, 2)))})
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (a_cut_file, "is cut short: it ends after 2000 bytes"),
        (a_corrupted_file, "is damaged: its SHA-1 does not start with 25a187fa"),
        (no_parameter_file, "is not a Gluon parameter file"),
        (another_backbones_file, "it holds resnet-101, and resnet-50 is wanted"),
        (another_networks_file, "it holds no ResNet v1s as GluonCV saves it"),
    ],
)
def test_a_backbone_of_no_use_is_named_before_the_data_are_read(
    pretrained_job, folder, make, words
):
    path = make(folder / "resnet50_v1s-test.params")

    message = assert_refused(pretrained_job, run_without_network(pretrained_job, folder))

    assert message.startswith(f"The backbone file {path} ")
    assert words in message
    assert "\n" not in message


def test_a_backbone_of_other_shapes_is_named(tmp_path, folder):
    path = folder / "resnet50_v1s-test.params"
    save_backbone(path, RESNET_50, channels=7)
    job = TrainingJob(tmp_path / "ml", use_pretrained_model="True")

    outcome = job.run(trace_imports=True, SEMSEG_BACKBONES=str(folder))

    message = assert_refused(job, outcome)
    assert message.startswith(f"The backbone file {path} does not fit: ")
    assert "conv1.0.weight has shape (7, 3, 3, 3) instead of (64, 3, 3, 3)" in message
    assert outcome.imported("mxnet")
