"""Pretrained backbones that are not to be had, or of no use: said before anything takes time."""

import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tests.contract.refusals import assert_refused, break_data, run_without_network
from tests.contract.training_job import TrainingJob


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
