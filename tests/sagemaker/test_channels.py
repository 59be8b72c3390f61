import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semseg.sagemaker.channels import CHANNEL_NAMES, Channel, read_channels
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.tree import Tree

Settings = dict[str, dict[str, str]]
WriteConfig = Callable[[str, Any], Path]


@pytest.fixture
def complaints(tree: Tree, write_config: WriteConfig) -> Callable[[Any], list[str]]:
    """The lines about single problems of an inputdataconfig.json."""

    def complain(content: Any) -> list[str]:
        write_config("inputdataconfig.json", content)
        with pytest.raises(CustomerError) as raised:
            read_channels(tree)
        summary, *lines = str(raised.value).splitlines()
        assert summary.startswith("inputdataconfig.json: ")
        return lines

    return complain


def test_four_channels_without_content_types(
    tree: Tree, write_config: WriteConfig, channel_settings: Settings
) -> None:
    write_config("inputdataconfig.json", channel_settings)
    found = read_channels(tree)
    assert found.train == Channel("train", tree.channel("train"), None, "File")
    assert [getattr(found, name).name for name in CHANNEL_NAMES] == list(CHANNEL_NAMES)


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
        f"{name}: this channel is required, and the job does not have it" for name in CHANNEL_NAMES
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("validatoin", "this algorithm has no such channel; did you mean 'validation'?"),
        ("Train", "this algorithm has no such channel; did you mean 'train'?"),
        ("zzz", "this algorithm has no such channel"),
        ("label_map", "the channel is not supported yet by this version"),
        ("model", "the channel is not supported yet by this version"),
        ("test", "the channel is not supported yet by this version"),
    ],
)
def test_a_channel_too_many(
    complaints: Callable[[Any], list[str]], channel_settings: Settings, name: str, text: str
) -> None:
    assert complaints(channel_settings | {name: {}}) == [f"{name}: {text}"]


IMAGES = "image/jpeg, image/png, application/x-image, or none at all"
LATER = "is not supported yet by this version"


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        (
            "TrainingInputMode",
            "Pipe",
            f"TrainingInputMode 'Pipe' {LATER}; allowed: File or FastFile",
        ),
        (
            "TrainingInputMode",
            "Fast",
            "found TrainingInputMode 'Fast', allowed: File or FastFile",
        ),
        (
            "ContentType",
            "application/x-recordio",
            f"ContentType 'application/x-recordio' {LATER}; allowed: {IMAGES}",
        ),
        ("ContentType", "text/csv", f"found ContentType 'text/csv', allowed: {IMAGES}"),
        ("RecordWrapperType", "RecordIO", f"RecordWrapperType 'RecordIO' {LATER}; allowed: None"),
        ("RecordWrapperType", "Zip", "found RecordWrapperType 'Zip', allowed: None"),
        (
            "S3DistributionType",
            "ShardedByS3Key",
            "found S3DistributionType 'ShardedByS3Key', allowed: FullyReplicated",
        ),
    ],
)
def test_settings_that_are_not_supported(
    complaints: Callable[[Any], list[str]],
    channel_settings: Settings,
    key: str,
    value: str,
    text: str,
) -> None:
    channel_settings["validation"][key] = value
    assert complaints(channel_settings) == [f"validation: {text}"]


def test_an_augmented_manifest_gets_one_answer(complaints: Callable[[Any], list[str]]) -> None:
    """Streams carry their masks, so nobody should be sent to add annotation channels."""
    streamed = {
        "ContentType": "application/x-recordio",
        "TrainingInputMode": "Pipe",
        "RecordWrapperType": "RecordIO",
    }
    lines = complaints({"train": streamed, "validation": streamed})
    assert len(lines) == 6
    assert all("not supported yet" in line for line in lines)


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
