from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.job import read_job
from semseg.sagemaker.resources import CheckpointPlace
from semseg.sagemaker.tree import Tree

HYPERPARAMETERS = {"num_classes": "21", "num_training_samples": "1464"}
WriteConfig = Callable[[str, Any], Path]


def test_a_whole_job(
    tree: Tree, write_config: WriteConfig, channel_settings: dict[str, dict[str, str]]
) -> None:
    write_config("hyperparameters.json", HYPERPARAMETERS)
    write_config("inputdataconfig.json", channel_settings)
    job = read_job(tree)
    assert job.tree == tree
    assert job.hyperparameters is job.configuration.hyperparameters
    assert job.hyperparameters.num_classes == 21
    assert job.channels.train.path == tree.channel("train")
    assert job.hosts.current == "algo-1"
    assert job.checkpoints is None


def test_checkpoints_without_a_path_lie_in_the_tree(
    tree: Tree, write_config: WriteConfig, channel_settings: dict[str, dict[str, str]]
) -> None:
    write_config("hyperparameters.json", HYPERPARAMETERS)
    write_config("inputdataconfig.json", channel_settings)
    write_config("checkpointconfig.json", {})
    assert read_job(tree).checkpoints == CheckpointPlace(tree.checkpoints)


def test_all_files_are_complained_of_at_once(
    tree: Tree, write_config: WriteConfig, channel_settings: dict[str, dict[str, str]]
) -> None:
    with pytest.raises(CustomerError) as nothing:
        read_job(tree)
    first, second = str(nothing.value).splitlines()
    assert first.startswith("hyperparameters.json is missing")
    assert second.startswith("inputdataconfig.json is missing")

    write_config("hyperparameters.json", HYPERPARAMETERS | {"epochs": "x"})
    write_config("inputdataconfig.json", channel_settings | {"trian": {}})
    write_config("resourceconfig.json", {"current_host": "d", "hosts": ["a", "b"]})
    write_config("checkpointconfig.json", {"LocalPath": "here"})
    with pytest.raises(CustomerError) as each:
        read_job(tree)
    lines = str(each.value).splitlines()
    assert lines[:4] == [
        "hyperparameters.json: 1 problem (epochs)",
        "inputdataconfig.json: 1 problem (trian)",
        "resourceconfig.json: 1 problem (current_host)",
        "checkpointconfig.json: 1 problem (LocalPath)",
    ]
    assert [line.partition(":")[0] for line in lines[4:]] == [
        "epochs",
        "trian",
        "current_host",
        "LocalPath",
    ]


def test_checkpoints_without_a_path_lie_in_a_tree_that_is_relative(
    tree: Tree,
    write_config: WriteConfig,
    channel_settings: dict[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_config("hyperparameters.json", HYPERPARAMETERS)
    write_config("inputdataconfig.json", channel_settings)
    write_config("checkpointconfig.json", {})
    monkeypatch.chdir(tree.base.parent)
    relative = Tree(tree.base.relative_to(tree.base.parent))
    assert read_job(relative).checkpoints == CheckpointPlace(tree.checkpoints)


def test_one_of_several_hosts_knows_its_place(
    tree: Tree, write_config: WriteConfig, channel_settings: dict[str, dict[str, str]]
) -> None:
    write_config("hyperparameters.json", HYPERPARAMETERS)
    write_config("inputdataconfig.json", channel_settings)
    write_config("resourceconfig.json", {"current_host": "b", "hosts": ["c", "b", "a"]})
    hosts = read_job(tree).hosts
    assert (hosts.index, hosts.count) == (1, 3)


def test_pipes_are_for_one_host(
    tree: Tree, write_config: WriteConfig, channel_settings: dict[str, dict[str, str]]
) -> None:
    streamed = {"TrainingInputMode": "Pipe", "ContentType": "application/x-recordio"}
    write_config("hyperparameters.json", HYPERPARAMETERS)
    write_config("inputdataconfig.json", dict.fromkeys(("train", "validation"), streamed))
    assert read_job(tree).channels.train.is_pipe
    write_config("resourceconfig.json", {"current_host": "a", "hosts": ["a", "b"]})
    with pytest.raises(CustomerError, match=r"^inputdataconfig\.json: 2 problems \(train, valid"):
        read_job(tree)


def test_parts_of_channels_are_for_one_host(
    tree: Tree, write_config: WriteConfig, channel_settings: dict[str, dict[str, str]]
) -> None:
    channel_settings["train_annotation"] = {"S3DistributionType": "ShardedByS3Key"}
    write_config("hyperparameters.json", HYPERPARAMETERS)
    write_config("inputdataconfig.json", channel_settings)
    assert read_job(tree).channels.train_annotation is not None
    write_config("resourceconfig.json", {"current_host": "a", "hosts": ["a", "b"]})
    with pytest.raises(CustomerError, match=r"train_annotation: found S3DistributionType 'Sharded"):
        read_job(tree)


def test_test_data_and_an_earlier_model_are_part_of_a_job(
    tree: Tree, write_config: WriteConfig, channel_settings: dict[str, dict[str, str]]
) -> None:
    more: dict[str, dict[str, str]] = {"model": {}, "test": {}, "test_annotation": {}}
    for name in more:
        tree.channel(name).mkdir()
    write_config("hyperparameters.json", HYPERPARAMETERS)
    write_config("inputdataconfig.json", channel_settings | more)
    channels = read_job(tree).channels
    assert channels.model is not None
    assert channels.test is not None
    assert channels.test_annotation is not None
