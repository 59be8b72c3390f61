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


def test_hyperparameters_are_complained_of_before_channels(
    tree: Tree, write_config: WriteConfig
) -> None:
    with pytest.raises(CustomerError, match=r"^hyperparameters\.json is missing"):
        read_job(tree)
    write_config("hyperparameters.json", {})
    with pytest.raises(CustomerError, match=r"^hyperparameters\.json: 2 problems"):
        read_job(tree)
    write_config("hyperparameters.json", HYPERPARAMETERS)
    with pytest.raises(CustomerError, match=r"^inputdataconfig\.json is missing"):
        read_job(tree)


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
