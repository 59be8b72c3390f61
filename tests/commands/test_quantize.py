"""`semseg quantize` as a person calls it."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semseg.cli import main
from semseg.networks.artifact import BEST, CONFIGURATION, LAST, read_artifact
from semseg.networks.thresholds import THRESHOLDS, read_thresholds
from tests.networks.weights import computed, save, seasoned

CLASSES = 3
# As the original's log prints its final configuration.
HYPERPARAMETERS = {
    "backbone": "resnet-50",
    "crop_size": "240",
    "epochs": "10",
    "optimizer": "rmsprop",
    "use_pretrained_model": "True",
    "_kvstore": "device",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    save(seasoned("fcn", CLASSES), "fcn", folder)
    return folder


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "model"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Five pictures, one in a folder of its own, and their masks."""
    rng = np.random.default_rng(0)
    for number in range(5):
        name = f"{'below/' * (number == 4)}{number}"
        for kind, channels in (("images", (3,)), ("masks", ())):
            path = tmp_path / "data" / kind / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            most = 256 if channels else CLASSES
            Image.fromarray(rng.integers(0, most, (40, 50, *channels), np.uint8)).save(path)
    return tmp_path / "data"


def quantize(*arguments: str | Path) -> int:
    code: object = 0
    try:
        main(["quantize", *map(str, arguments)])
    except SystemExit as ended:
        code = ended.code
    assert isinstance(code, int)
    return code


def test_a_folder_gets_the_thresholds_and_keeps_its_files(
    model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (model / BEST).read_bytes()
    assert quantize(model, data / "images", "--sample", "3") == 0
    assert (model / BEST).read_bytes() == before
    thresholds = read_thresholds(read_artifact(model))
    assert thresholds.images == 3
    assert thresholds.report is None
    assert "calibrated on 3 images" in capsys.readouterr().out


def test_with_masks_both_are_compared(
    model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quantize(model, data / "images", "--masks", data / "masks") == 0
    report = read_thresholds(read_artifact(model)).report
    assert report is not None
    assert report.images == 5
    assert report.same_class > 0.8
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    for name, scores in (("float32", report.float32), ("int8", report.int8)):
        assert [name, f"{scores.miou:.4f}", f"{scores.pixel_accuracy:.4f}"] in printed


def test_images_to_compare_on_are_not_passed_over_for_want_of_masks(
    model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quantize(model, data / "images", "--validation", data / "images") == 2
    assert "give --masks too" in capsys.readouterr().err
    assert not (model / THRESHOLDS).exists()


def test_an_archive_gets_them_too_and_they_are_the_same_ones(
    trained: Path, model: Path, data: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        for path in trained.iterdir():
            packed.add(path, path.name)
    assert quantize(archive, data / "images") == 0
    assert quantize(model, data / "images") == 0
    with tarfile.open(archive) as packed:
        added = packed.extractfile(THRESHOLDS)
        assert added is not None
        assert json.load(added) == json.loads((model / THRESHOLDS).read_text())


def test_the_original_s_three_files_are_taken_and_stay(data: Path, tmp_path: Path) -> None:
    """Their names, and the network's class, are in SageMaker SDK issues 2062 and 200."""
    import mxnet as mx
    from gluoncv.model_zoo import FCN

    network = FCN(CLASSES, pretrained_base=False, crop_size=32)
    network.initialize(force_reinit=True)  # GluonCV has begun with the heads
    computed(network(mx.nd.zeros((1, 3, 32, 32))))
    folder = tmp_path / "original"
    folder.mkdir()
    for name in (LAST, BEST):
        network.save_parameters(str(folder / name))
    final_configuration = {**HYPERPARAMETERS, "algorithm": "fcn", "num_classes": str(CLASSES)}
    (folder / CONFIGURATION).write_text(json.dumps(final_configuration))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}

    assert quantize(folder, data / "images", "--sample", "1") == 0

    assert {path.name for path in folder.iterdir()} == {LAST, BEST, CONFIGURATION, THRESHOLDS}
    assert {name: (folder / name).read_bytes() for name in files} == files
    assert read_thresholds(read_artifact(folder)).images == 1


@pytest.mark.parametrize("broken", ["image", "mask", "no images", "no folder", "no model"])
def test_what_is_not_sound_is_told_before_anything_is_written(
    model: Path, data: Path, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    images = data / "images"
    if broken == "image":
        (images / "2.png").write_bytes(b"no picture")
        expected = "2.png"
    elif broken == "mask":
        Image.fromarray(np.full((40, 50), CLASSES, np.uint8)).save(data / "masks" / "2.png")
        expected = "2.png"
    elif broken == "no images":
        images = data / "empty"
        images.mkdir()
        expected = "no .jpg, .jpeg or .png file"
    elif broken == "no folder":
        images = data / "gone"
        expected = "There is no folder"
    else:
        (model / BEST).unlink()
        expected = "model_best.params is missing"
    masks = ("--masks", data / "masks") if broken == "mask" else ()
    assert quantize(model, images, *masks) == 2
    assert expected in capsys.readouterr().err
    assert not (model / THRESHOLDS).exists()


@pytest.mark.parametrize("packed", [False, True])
def test_what_cannot_be_written_to_is_told_before_the_images_are_looked_at(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make_read_only: Callable[[Path], None],
    packed: bool,
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    artifact = folder / "model.tar.gz" if packed else folder
    if packed:
        artifact.write_bytes(b"an archive, as far as it is read")
    make_read_only(folder)
    assert quantize(artifact, tmp_path / "no images") == 2
    said = capsys.readouterr().err
    assert f"Nothing can be written to {folder}: Read-only file system" in said
    assert "or work on a copy of the model" in said
