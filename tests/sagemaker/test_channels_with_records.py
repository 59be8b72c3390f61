"""Channels whose images and masks come as records: through pipes, or in files."""

from collections.abc import Callable
from typing import Any

import pytest

from semseg.sagemaker.channels import Channel, read_channels
from semseg.sagemaker.tree import Tree
from tests.sagemaker.test_channels import FOR_FILES, Settings, WriteConfig

RECORDS = "application/x-recordio"
AUGMENTED_MANIFEST = {
    "ContentType": RECORDS,
    "TrainingInputMode": "Pipe",
    "RecordWrapperType": "RecordIO",
}


@pytest.mark.parametrize(
    ("content_type", "wrapper"),
    [
        ("application/x-recordio", "RecordIO"),
        ("application/x-recordio", "None"),
        ("application/x-image", "RecordIO"),
        ("image/jpeg", "recordio"),
        ("", "RecordIO"),
    ],
)
def test_a_stream_of_records_needs_neither_folder_nor_masks(
    tree: Tree, write_config: WriteConfig, content_type: str, wrapper: str
) -> None:
    streamed = {
        "ContentType": content_type,
        "TrainingInputMode": "pipe",
        "RecordWrapperType": wrapper,
    }
    write_config("inputdataconfig.json", {"train": streamed, "validation": streamed})
    found = read_channels(tree)
    assert (found.train.is_pipe, found.train.holds_records) == (True, True)
    assert found.train.fifo(3) == tree.channel("train_3")
    assert (found.train_annotation, found.validation_annotation) == (None, None)


@pytest.mark.parametrize("content_type", ["application/x-image", "image/jpeg", ""])
def test_a_stream_without_frames_cannot_be_told_apart(
    complaints: Callable[[Any], list[str]], content_type: str
) -> None:
    streamed = {"TrainingInputMode": "Pipe", "ContentType": content_type}
    lines = complaints({"train": AUGMENTED_MANIFEST, "validation": streamed})
    assert lines == [
        "validation: a Pipe brings nothing that tells one image from the next unless it is "
        "RecordIO: set ContentType application/x-recordio and RecordWrapperType RecordIO, or "
        "TrainingInputMode File"
    ]


def test_each_channel_has_an_input_mode_of_its_own(
    tree: Tree, write_config: WriteConfig, channel_settings: Settings
) -> None:
    for name in ("label_map", "model"):
        tree.channel(name).mkdir()
    del channel_settings["train_annotation"]
    mixed = {
        **channel_settings,
        "train": AUGMENTED_MANIFEST,
        "label_map": {"TrainingInputMode": "File"},
        "model": {"ContentType": "application/x-sagemaker-model", "TrainingInputMode": "File"},
        "test": AUGMENTED_MANIFEST,
    }
    write_config("inputdataconfig.json", mixed)
    found = read_channels(tree)
    assert found.train.is_pipe
    assert found.validation.input_mode == "File"
    assert found.validation_annotation is not None
    assert found.label_map == Channel("label_map", tree.channel("label_map"), None, "File")
    assert found.model is not None
    assert found.model.content_type == "application/x-sagemaker-model"
    assert found.test is not None
    assert found.test.fifo(0) == tree.channel("test_0")


def test_label_maps_and_seed_models_are_files(complaints: Callable[[Any], list[str]]) -> None:
    streamed = {"TrainingInputMode": "Pipe"}
    images = dict.fromkeys(("train", "validation"), AUGMENTED_MANIFEST)
    assert complaints({**images, "model": streamed, "label_map": streamed}) == [
        "model: found TrainingInputMode 'Pipe', allowed: File or FastFile",
        "label_map: found TrainingInputMode 'Pipe', allowed: File or FastFile",
    ]


def test_masks_beside_a_stream_are_passed_over_with_a_warning(
    tree: Tree,
    write_config: WriteConfig,
    channel_settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tree.channel("train_annotation").rmdir()
    settings = {
        **channel_settings,
        "train": AUGMENTED_MANIFEST,
        "train_annotation": AUGMENTED_MANIFEST,
    }
    write_config("inputdataconfig.json", settings)
    assert read_channels(tree).train_annotation is None
    assert caplog.messages == [
        "train_annotation is not read: the records of train bring their masks along"
    ]


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_record_files_are_known_by_their_content_type(
    tree: Tree, write_config: WriteConfig, channel_settings: Settings, mode: str
) -> None:
    del channel_settings["train_annotation"]
    channel_settings["train"] = {"ContentType": RECORDS, "TrainingInputMode": mode}
    write_config("inputdataconfig.json", channel_settings)
    found = read_channels(tree).train
    assert (found.holds_records, found.is_pipe, found.input_mode) == (True, False, mode)


def test_record_files_are_known_by_their_names(
    tree: Tree, write_config: WriteConfig, channel_settings: Settings
) -> None:
    del channel_settings["train_annotation"]
    (tree.channel("train") / "part").mkdir()
    (tree.channel("train") / "part" / "0.REC").touch()
    (tree.channel("train") / "part" / "0.idx").touch()
    write_config("inputdataconfig.json", channel_settings)
    assert read_channels(tree).train.holds_records


def test_record_files_next_to_images_are_clutter(
    complaints: Callable[[Any], list[str]], channel_settings: Settings, tree: Tree
) -> None:
    del channel_settings["train_annotation"]
    (tree.channel("train") / "0.rec").touch()
    (tree.channel("train") / "0.jpg").touch()
    assert complaints(channel_settings) == [f"train_annotation: {FOR_FILES.format('train')}"]


def test_the_record_wrapper_wraps_no_files(
    tree: Tree, write_config: WriteConfig, channel_settings: Settings
) -> None:
    channel_settings["train"] |= {"RecordWrapperType": "RecordIO", "ContentType": "image/jpeg"}
    write_config("inputdataconfig.json", channel_settings)
    assert not read_channels(tree).train.holds_records
