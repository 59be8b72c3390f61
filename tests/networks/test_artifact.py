import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from semseg.networks.architecture import Architecture
from semseg.networks.artifact import (
    BEST,
    CONFIGURATION,
    LAST,
    read_artifact,
    write_configuration,
    write_parameters,
)
from semseg.sagemaker.errors import CustomerError, PlatformError

SAID = {"algorithm": "fcn", "backbone": "resnet-50", "num_classes": "3", "crop_size": "240"}


@pytest.fixture(scope="module")
def written(networks: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_configuration(folder, SAID)
    write_parameters(folder / BEST, networks["fcn"])
    return folder


@pytest.fixture
def model(written: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(written, tmp_path / "model"))


def complaint(folder: Path) -> str:
    with pytest.raises(CustomerError) as raised:
        read_artifact(folder)
    return str(raised.value)


def test_what_was_written_is_read(written: Path) -> None:
    artifact = read_artifact(written)
    assert artifact.architecture == Architecture("fcn", "resnet-50", 3)
    assert artifact.parameters == written / BEST
    assert artifact.configuration == SAID
    assert sorted(path.name for path in written.iterdir()) == [CONFIGURATION, BEST]


class CutShort:
    """A network that MXNet saves on a disk whose last bytes are taken: it does not notice."""

    def __init__(self, path: Path) -> None:
        self._whole = path.read_bytes()

    def save_parameters(self, path: str) -> None:
        Path(path).write_bytes(self._whole[:-1])


def test_a_file_that_was_not_written_to_its_end_takes_no_place(model: Path) -> None:
    before = (model / BEST).read_bytes()
    with pytest.raises(PlatformError, match=r"is cut short: .* the disk is full, or it failed"):
        write_parameters(model / BEST, CutShort(model / BEST))
    assert (model / BEST).read_bytes() == before
    assert sorted(path.name for path in model.iterdir()) == [CONFIGURATION, BEST]


@pytest.mark.parametrize("algorithm", ["psp", "deeplab"])
def test_the_architecture_is_told_from_the_parameters(
    networks: dict[str, Any], algorithm: str, tmp_path: Path
) -> None:
    write_configuration(tmp_path, {**SAID, "algorithm": algorithm})
    write_parameters(tmp_path / BEST, networks[algorithm])
    assert read_artifact(tmp_path).architecture == Architecture(algorithm, "resnet-50", 3)


def test_the_last_model_serves_where_there_is_no_best(model: Path) -> None:
    (model / BEST).rename(model / LAST)
    assert read_artifact(model).parameters == model / LAST


def test_nothing_there(tmp_path: Path) -> None:
    assert "does not exist" in complaint(tmp_path / "none")
    assert complaint(tmp_path) == (
        f"{tmp_path / CONFIGURATION} is missing: copy it from the job, or write a file that holds "
        "{}. The folder is empty."
    )


def test_no_parameters(model: Path) -> None:
    (model / BEST).rename(model / "model.bin")
    assert complaint(model) == (
        f"{model / BEST} is missing, and so is {LAST}: put there what the job's model.tar.gz "
        "holds. The folder holds hyperparams.json, model.bin."
    )


def test_half_a_file(model: Path) -> None:
    data = (model / BEST).read_bytes()
    (model / BEST).write_bytes(data[: len(data) // 2])
    assert "is cut short" in complaint(model)


@pytest.mark.parametrize("text", ["", "{", "[1]", '"text"'])
def test_a_configuration_that_is_none(model: Path, text: str) -> None:
    (model / CONFIGURATION).write_text(text)
    assert str(model / CONFIGURATION) in complaint(model)


def test_another_kind_of_network(model: Path) -> None:
    import mxnet as mx

    mx.nd.save(str(model / BEST), {"dense0.weight": mx.nd.ones((2, 2))})
    assert "another kind of network" in complaint(model)


def test_files_that_do_not_belong_together(model: Path) -> None:
    said = {**SAID, "algorithm": "psp", "num_classes": "21"}
    (model / CONFIGURATION).write_text(json.dumps(said))
    assert complaint(model).endswith(
        "do not belong together: algorithm is psp in hyperparams.json, fcn in the parameters; "
        "num_classes is 21 in hyperparams.json, 3 in the parameters. "
        "Take both from the same job."
    )


def test_a_failed_save_leaves_the_last_good_file(model: Path) -> None:
    class Broken:
        def save_parameters(self, path: str) -> None:
            Path(path).write_bytes(b"half")
            raise OSError("disk full")

    before = (model / BEST).read_bytes()
    with pytest.raises(OSError, match="disk full"):
        write_parameters(model / BEST, Broken())
    assert (model / BEST).read_bytes() == before
    assert sorted(path.name for path in model.iterdir()) == [CONFIGURATION, BEST]
