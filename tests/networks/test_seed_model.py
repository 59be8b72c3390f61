"""What the channel `model` may hold, and what is said of anything else."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semseg.networks.artifact import BEST, CONFIGURATION, LAST
from semseg.networks.seed_model import facts, find_seed_model
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameters import Configuration, Hyperparameters, defaults
from tests.networks.skeleton import pack, save_model

SAID = {"algorithm": "fcn", "backbone": "resnet-50", "num_classes": "3", "crop_size": "240"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """An earlier job's model folder."""
    return save_model(tmp_path / "earlier", SAID)


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    folder = tmp_path / "model"
    folder.mkdir()
    return Channel("model", folder, None, "File")


def job(**given: Any) -> Hyperparameters:
    required = {"num_classes": "3", "num_training_samples": "8"}
    return Configuration.merge(defaults(), {**required, **given}).hyperparameters


def complaint(channel: Channel, **given: Any) -> str:
    with pytest.raises(CustomerError) as raised:
        find_seed_model(channel, job(**given))
    return str(raised.value)


def packed(model: Path, channel: Channel) -> Path:
    return pack(model, channel.path / "model.tar.gz")


def unpacked(model: Path, channel: Channel) -> Path:
    shutil.copytree(model, channel.path, dirs_exist_ok=True)
    return channel.path


def in_the_folders_of_a_prefix(model: Path, channel: Channel) -> Path:
    """What the prefix of all of a bucket's jobs brings along: SageMaker keeps the keys' folders."""
    output = channel.path / "horses-1" / "output"
    output.mkdir(parents=True)
    pack(model, output / "output.tar.gz")
    (channel.path / "horses-1" / "log.txt").write_text("something else")
    return pack(model, output / "model.tar.gz")


def under_another_name(model: Path, channel: Channel) -> Path:
    return pack(model, channel.path / "horses-1.tgz")


WAYS = [packed, unpacked, in_the_folders_of_a_prefix, under_another_name]


@pytest.mark.parametrize("way", WAYS)
def test_it_is_found_however_it_comes(
    model: Path, channel: Channel, way: Callable[[Path, Channel], Path]
) -> None:
    place = way(model, channel)
    found = find_seed_model(channel, job())
    assert found is not None
    assert found.place == place
    with found.parameters() as path:
        assert path.read_bytes() == (model / BEST).read_bytes()


def test_its_identity_is_that_of_its_parameters(model: Path, channel: Channel) -> None:
    identities = set()
    for way in WAYS:
        way(model, channel)
        found = find_seed_model(channel, job())
        assert found is not None
        identities.add(found.identity)
        shutil.rmtree(channel.path)
        channel.path.mkdir()
    assert len(identities) == 1
    save_model(channel.path, {}, num_classes=2)
    other = find_seed_model(channel, job(num_classes="2"))
    assert other is not None
    assert other.identity not in identities
    assert facts(other) == {"seed model": other.identity}
    assert facts(None) == {"seed model": "none"}


def test_without_the_channel_there_is_none() -> None:
    assert find_seed_model(None, job()) is None


def test_the_last_model_is_taken_where_there_is_no_best(model: Path, channel: Channel) -> None:
    (model / BEST).rename(model / LAST)
    packed(model, channel)
    found = find_seed_model(channel, job())
    assert found is not None
    with found.parameters() as path:
        assert path.name == LAST


def test_all_differences_are_named_at_once(model: Path, channel: Channel) -> None:
    archive = packed(model, channel)
    message = complaint(
        channel, algorithm="psp", backbone="resnet-101", num_classes="5", crop_size="479"
    )
    assert message.splitlines() == [
        f"The seed model {archive} is another kind of model than the job's: it differs in "
        "algorithm, backbone, num_classes, crop_size. Give the job the values that the model has, "
        "or leave out the channel model.",
        "algorithm: fcn there, psp here",
        "backbone: resnet-50 there, resnet-101 here",
        "num_classes: 3 there, 5 here",
        "crop_size: 240 there, 480 here",
    ]


@pytest.mark.parametrize("crop_size", ["233", "240", " 240 "])
def test_crop_sizes_are_compared_as_they_are_used(channel: Channel, crop_size: str) -> None:
    save_model(channel.path, {**SAID, "crop_size": crop_size})
    assert find_seed_model(channel, job()) is not None


def test_a_crop_size_that_is_no_number_differs(channel: Channel) -> None:
    save_model(channel.path, {**SAID, "crop_size": "large"})
    assert "\ncrop_size: 'large' there, 240 here" in complaint(channel)


def test_what_the_configuration_does_not_say_is_told_from_the_parameters(channel: Channel) -> None:
    """What the original writes into hyperparams.json, nobody has published."""
    save_model(channel.path, {}, algorithm="deeplab", backbone="resnet-101", num_classes=7)
    theirs = {"algorithm": "deeplab", "backbone": "resnet-101", "num_classes": "7"}
    assert find_seed_model(channel, job(**theirs)) is not None
    assert "differs in algorithm, backbone, num_classes. " in complaint(channel)


def test_an_empty_channel_and_one_of_something_else(channel: Channel) -> None:
    sentence = f"there is neither model.tar.gz nor {BEST} in {channel.path}."
    assert complaint(channel) == f"The channel model holds no model: {sentence} It is empty."
    (channel.path / "a").mkdir()
    (channel.path / "a" / CONFIGURATION).write_text("{}")
    assert complaint(channel).endswith(f"{sentence} It holds a/{CONFIGURATION}.")


def test_several_models_are_named(model: Path, channel: Channel) -> None:
    archive = packed(model, channel)
    folder = channel.path / "other"
    shutil.copytree(model, folder)
    message = complaint(channel)
    assert message == (f"The channel model holds 2 models, and one is wanted: {archive}, {folder}.")


@pytest.mark.parametrize("way", [packed, unpacked])
def test_what_is_wrong_with_a_file_is_said_with_a_name_that_lasts(
    model: Path, channel: Channel, way: Callable[[Path, Channel], Path]
) -> None:
    (model / BEST).write_bytes((model / BEST).read_bytes()[:-1])
    place = way(model, channel)
    assert complaint(channel).startswith(f"{place}/{BEST} is cut short: it ends after ")


def test_files_that_do_not_belong_together(channel: Channel) -> None:
    save_model(channel.path, {**SAID, "algorithm": "psp"})
    assert "do not belong together: algorithm is psp in hyperparams.json" in complaint(channel)


def test_an_archive_that_was_cut_short(model: Path, channel: Channel) -> None:
    archive = packed(model, channel)
    archive.write_bytes(archive.read_bytes()[:300])
    assert complaint(channel).startswith(f"{archive} is damaged or cut short")


def test_another_kind_of_network(channel: Channel) -> None:
    import mxnet as mx

    save_model(channel.path, {})
    mx.nd.save(str(channel.path / BEST), {"dense.weight": mx.nd.zeros((2, 2))})
    assert "holds the parameters of another kind of network" in complaint(channel)
