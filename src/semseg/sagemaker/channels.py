"""The four channels of images and masks, as ``inputdataconfig.json`` describes them.

SageMaker lays files such as ``train-manifest`` beside the channels' folders, so only this file says
what a channel is. Names and content types: AWS's page on the algorithm, and the iterators which the
original container registers at start-up.
"""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.json_files import read_json_object
from semseg.sagemaker.problems import Problem, did_you_mean, show, summarize
from semseg.sagemaker.tree import Tree

IMAGE_CONTENT_TYPES = ("image/jpeg", "image/png", "application/x-image")
_RECORD_CONTENT_TYPES = ("application/x-recordio", "application/x-recordio-protobuf")
_INPUT_MODES = {"file": "File", "fastfile": "FastFile"}
_LATER_CHANNELS = ("label_map", "model", "test", "test_annotation")
_NOT_YET = "is not supported yet by this version"


@dataclass(frozen=True)
class Channel:
    """A folder of files; `content_type` is None where the job names none, as is common."""

    name: str
    path: Path
    content_type: str | None
    input_mode: str


@dataclass(frozen=True)
class Channels:
    """What the algorithm trains and validates on; a field is named as its channel."""

    train: Channel
    train_annotation: Channel
    validation: Channel
    validation_annotation: Channel


CHANNEL_NAMES = tuple(field.name for field in fields(Channels))


def read_channels(tree: Tree) -> Channels:
    """The channels of the job in `tree`, each with a folder that can be listed.

    Raises CustomerError: ``inputdataconfig.json`` missing or malformed, or all that is wrong with
    the channels at once. What lies in the folders is not looked at.
    """
    configuration = read_json_object(tree.inputdataconfig)
    problems = [*_missing(configuration)]
    for name, settings in configuration.items():
        problems += [Problem(name, text) for text in _complaints(name, settings, tree)]
    if problems:
        raise CustomerError(summarize(tree.inputdataconfig.name, problems))
    return Channels(**{name: _channel(name, configuration[name], tree) for name in CHANNEL_NAMES})


def _missing(configuration: dict[str, Any]) -> list[Problem]:
    """The absent channels; an annotation channel is not asked for where its images are streamed."""
    return [
        Problem(name, "this channel is required, and the job does not have it")
        for name in CHANNEL_NAMES
        if name not in configuration
        and not _is_streamed(configuration.get(name.removesuffix("_annotation")))
    ]


def _is_streamed(settings: object) -> bool:
    return isinstance(settings, dict) and _text(settings, "TrainingInputMode").lower() == "pipe"


def _complaints(name: str, settings: object, tree: Tree) -> list[str]:
    if name in _LATER_CHANNELS:
        return [f"the channel {_NOT_YET}"]
    if name not in CHANNEL_NAMES:
        return [f"this algorithm has no such channel{did_you_mean(name, CHANNEL_NAMES)}"]
    if not isinstance(settings, dict):
        return [f"found {show(settings)}, allowed: a JSON object of the channel's settings"]
    complaints = [
        _about_mode(_text(settings, "TrainingInputMode")),
        _about_content_type(_text(settings, "ContentType")),
        _about_wrapper(_text(settings, "RecordWrapperType")),
        _about_distribution(_text(settings, "S3DistributionType")),
    ]
    if not _is_streamed(settings):
        complaints.append(_about_folder(tree.channel(name)))
    return [complaint for complaint in complaints if complaint]


def _about_mode(mode: str) -> str | None:
    if not mode or mode.lower() in _INPUT_MODES:
        return None
    if mode.lower() == "pipe":
        return f"TrainingInputMode {mode!r} {_NOT_YET}; allowed: File or FastFile"
    return f"found TrainingInputMode {show(mode)}, allowed: File or FastFile"


def _about_content_type(content_type: str) -> str | None:
    media_type = _media_type(content_type)
    if not media_type or media_type in IMAGE_CONTENT_TYPES:
        return None
    allowed = f"{', '.join(IMAGE_CONTENT_TYPES)}, or none at all"
    if media_type in _RECORD_CONTENT_TYPES:
        return f"ContentType {show(content_type)} {_NOT_YET}; allowed: {allowed}"
    return f"found ContentType {show(content_type)}, allowed: {allowed}"


def _about_wrapper(wrapper: str) -> str | None:
    if not wrapper or wrapper.lower() == "none":
        return None
    if wrapper.lower() == "recordio":
        return f"RecordWrapperType {wrapper!r} {_NOT_YET}; allowed: None"
    return f"found RecordWrapperType {show(wrapper)}, allowed: None"


def _about_distribution(distribution: str) -> str | None:
    if not distribution or distribution.lower() == "fullyreplicated":
        return None
    return f"found S3DistributionType {show(distribution)}, allowed: FullyReplicated"


def _about_folder(folder: Path) -> str | None:
    try:
        with os.scandir(folder):
            return None
    except FileNotFoundError:
        return f"the folder {folder} does not exist"
    except NotADirectoryError:
        return f"{folder} is a file, and must be a folder"
    except OSError as error:
        return f"the folder {folder} cannot be read: {error.strerror}"


def _channel(name: str, settings: dict[str, Any], tree: Tree) -> Channel:
    mode = _INPUT_MODES[_text(settings, "TrainingInputMode").lower() or "file"]
    content_type = _media_type(_text(settings, "ContentType")) or None
    return Channel(name, tree.channel(name), content_type, mode)


def _text(settings: dict[str, Any], key: str) -> str:
    """A setting as text, empty where it is absent or null."""
    value = settings.get(key)
    return "" if value is None else str(value).strip()


def _media_type(content_type: str) -> str:
    """``image/jpeg`` of ``Image/JPEG; charset=utf-8``."""
    return content_type.partition(";")[0].strip().lower()
