import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semseg.sagemaker.channels import Channel, read_channels
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.tree import Tree

FOR_FILES = "this channel is required where {} holds files, and the job does not have it"
Settings = dict[str, dict[str, str]]
WriteConfig = Callable[[str, Any], Path]


def test_four_channels_without_content_types(
    tree: Tree, write_config: WriteConfig, channel_settings: Settings
) -> None:
    write_config("inputdataconfig.json", channel_settings)
    found = read_channels(tree)
    assert found.train == Channel("train", tree.channel("train"), None, "File")
    assert [getattr(found, name).name for name in channel_settings] == list(channel_settings)
    assert not found.train.holds_records
    assert not found.train.is_pipe
    assert (found.test, found.test_annotation, found.label_map, found.model) == (None,) * 4


def test_a_folder_that_the_job_does_not_list_is_told_of(
    tree: Tree,
    write_config: WriteConfig,
    channel_settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tree.channel("label_map").mkdir(parents=True)
    write_config("inputdataconfig.json", channel_settings)
    assert read_channels(tree).label_map is None
    assert caplog.messages == [
        f"{tree.channel('label_map')} is not read: inputdataconfig.json has no channel label_map"
    ]


def test_the_little_that_local_mode_writes_is_enough(
    tree: Tree, write_config: WriteConfig, channel_settings: Settings
) -> None:
    write_config(
        "inputdataconfig.json", {name: {"TrainingInputMode": "File"} for name in channel_settings}
    )
    assert read_channels(tree).validation.input_mode == "File"
    write_config("inputdataconfig.json", {name: {} for name in channel_settings})
    assert read_channels(tree).validation.input_mode == "File"


def test_fast_file_mode_is_file_mode(
    tree: Tree, write_config: WriteConfig, channel_settings: Settings
) -> None:
    channel_settings["train"]["TrainingInputMode"] = "FastFile"
    write_config("inputdataconfig.json", channel_settings)
    assert read_channels(tree).train.input_mode == "FastFile"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("image/jpeg", "image/jpeg"),
        ("image/png", "image/png"),
        ("application/x-image", "application/x-image"),
        ("Image/JPEG; charset=utf-8", "image/jpeg"),
        (" image/png ;q=1", "image/png"),
        ("", None),
        (None, None),
    ],
)
def test_image_content_types_in_any_case_and_with_parameters(
    tree: Tree,
    write_config: WriteConfig,
    channel_settings: Settings,
    sent: str,
    read: str | None,
) -> None:
    for settings in channel_settings.values():
        settings["ContentType"] = sent
    write_config("inputdataconfig.json", channel_settings)
    assert read_channels(tree).train.content_type == read


def test_files_beside_the_channels_are_no_channels(
    tree: Tree, write_config: WriteConfig, channel_settings: Settings
) -> None:
    (tree.channel("train").parent / "train-manifest").write_text("{}")
    tree.channel("something").mkdir()
    write_config("inputdataconfig.json", channel_settings)
    read_channels(tree)


def test_no_file_at_all_is_named(tree: Tree) -> None:
    with pytest.raises(CustomerError, match=r"^inputdataconfig\.json is missing"):
        read_channels(tree)


def test_all_missing_channels_are_named_at_once(complaints: Callable[[Any], list[str]]) -> None:
    assert complaints({}) == [
        "train: this channel is required, and the job does not have it",
        f"train_annotation: {FOR_FILES.format('train')}",
        "validation: this channel is required, and the job does not have it",
        f"validation_annotation: {FOR_FILES.format('validation')}",
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("validatoin", "this algorithm has no such channel; did you mean 'validation'?"),
        ("Train", "this algorithm has no such channel; did you mean 'train'?"),
        ("zzz", "this algorithm has no such channel"),
    ],
)
def test_a_channel_too_many(
    complaints: Callable[[Any], list[str]], channel_settings: Settings, name: str, text: str
) -> None:
    assert complaints(channel_settings | {name: {}}) == [f"{name}: {text}"]


IMAGES = "image/jpeg, image/png, application/x-image, or none at all"
IMAGES_AND_RECORDS = IMAGES.replace(", or", ", application/x-recordio, or")


@pytest.mark.parametrize(
    ("name", "key", "value", "text"),
    [
        (
            "validation",
            "TrainingInputMode",
            "Fast",
            "found TrainingInputMode 'Fast', allowed: File, FastFile or Pipe",
        ),
        (
            "validation_annotation",
            "TrainingInputMode",
            "Pipe",
            "found TrainingInputMode 'Pipe', allowed: File or FastFile",
        ),
        (
            "validation",
            "ContentType",
            "text/csv",
            f"found ContentType 'text/csv', allowed: {IMAGES_AND_RECORDS}",
        ),
        (
            "validation",
            "ContentType",
            "application/x-recordio-protobuf",
            f"found ContentType 'application/x-recordio-protobuf', allowed: {IMAGES_AND_RECORDS}",
        ),
        (
            "validation_annotation",
            "ContentType",
            "application/x-recordio",
            f"found ContentType 'application/x-recordio', allowed: {IMAGES}",
        ),
        (
            "validation",
            "RecordWrapperType",
            "Zip",
            "found RecordWrapperType 'Zip', allowed: None or RecordIO",
        ),
        (
            "validation",
            "S3DistributionType",
            "Torn",
            "found S3DistributionType 'Torn', allowed: FullyReplicated or ShardedByS3Key",
        ),
    ],
)
def test_settings_that_are_not_supported(
    complaints: Callable[[Any], list[str]],
    channel_settings: Settings,
    name: str,
    key: str,
    value: str,
    text: str,
) -> None:
    channel_settings[name][key] = value
    assert complaints(channel_settings) == [f"{name}: {text}"]


def test_the_test_channel_comes_with_its_masks(
    complaints: Callable[[Any], list[str]], channel_settings: Settings, tree: Tree
) -> None:
    tree.channel("test").mkdir()
    assert complaints({**channel_settings, "test": {}}) == [
        f"test_annotation: {FOR_FILES.format('test')}"
    ]
    tree.channel("test_annotation").mkdir()
    assert complaints({**channel_settings, "test_annotation": {}}) == [
        "test: this channel is required, and the job does not have it"
    ]


def test_a_channel_that_is_no_object(
    complaints: Callable[[Any], list[str]], channel_settings: Settings
) -> None:
    assert complaints({**channel_settings, "train": "s3://bucket"}) == [
        "train: found 's3://bucket', allowed: a JSON object of the channel's settings"
    ]


def test_all_problems_of_all_channels_come_at_once(
    complaints: Callable[[Any], list[str]], channel_settings: Settings, tree: Tree
) -> None:
    tree.channel("train").rmdir()
    tree.channel("train_annotation").rmdir()
    tree.channel("train_annotation").write_text("")
    channel_settings["validation"] |= {"ContentType": "text/csv", "TrainingInputMode": "Fast"}
    del channel_settings["validation_annotation"]
    lines = complaints({**channel_settings, "extra": {}})
    assert [line.partition(":")[0] for line in lines] == [
        "validation_annotation",
        "train",
        "train_annotation",
        "validation",
        "validation",
        "extra",
    ]
    assert lines[1] == f"train: the folder {tree.channel('train')} does not exist"
    assert lines[2].endswith("train_annotation is a file, and must be a folder")


def test_a_folder_that_may_not_be_read(
    complaints: Callable[[Any], list[str]],
    channel_settings: Settings,
    tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scandir = os.scandir

    def refuse(folder: Path) -> Any:
        if folder == tree.channel("train"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert complaints(channel_settings) == [
        f"train: the folder {tree.channel('train')} cannot be read: Permission denied"
    ]


def test_a_folder_that_may_only_be_read_is_enough(
    tree: Tree, write_config: WriteConfig, channel_settings: Settings
) -> None:
    write_config("inputdataconfig.json", channel_settings)
    tree.channel("train").chmod(0o555)
    read_channels(tree)
