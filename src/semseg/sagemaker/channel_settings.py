"""What a channel's settings in ``inputdataconfig.json`` mean, and which of them cannot be right.

Content types: AWS's page on the algorithm, and the iterators which the original container registers
at start-up. That page names both ``application/x-recordio`` and ``application/x-image`` for
augmented manifests; the second needs SageMaker's record wrapper, as any stream of plain files does.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from semseg.sagemaker.problems import did_you_mean, show

IMAGES = ("image/jpeg", "image/png", "application/x-image")
RECORDS = "application/x-recordio"
SEED_MODEL = "application/x-sagemaker-model"
RECORD_SUFFIX = ".rec"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})

_CONTENT_TYPES = {
    "train": (*IMAGES, RECORDS),
    "validation": (*IMAGES, RECORDS),
    "test": (*IMAGES, RECORDS),
    "train_annotation": IMAGES,
    "validation_annotation": IMAGES,
    "test_annotation": IMAGES,
    "model": (SEED_MODEL,),
}  # of label_map AWS says nothing, so any will do
_FULL, _SHARDED = "FullyReplicated", "ShardedByS3Key"
_INPUT_MODES = {"file": "File", "fastfile": "FastFile", "pipe": "Pipe"}
_STREAMED = frozenset({"train", "validation", "test"})


def input_mode(settings: dict[str, Any]) -> str:
    """``File``, also where nothing is said, ``FastFile``, ``Pipe``, or what else was written."""
    mode = _text(settings, "TrainingInputMode") or "File"
    return _INPUT_MODES.get(mode.lower(), mode)


def content_type(settings: dict[str, Any]) -> str | None:
    """The media type in lower case, without parameters; None where the job names none."""
    media_type = _text(settings, "ContentType").partition(";")[0].strip().lower()
    return media_type or None


def holds_records(settings: dict[str, Any], folder: Path) -> bool:
    """Whether an image channel is RecordIO: its settings say so, or all its images are ``.rec``.

    SageMaker wraps files into records in Pipe mode only, whatever `RecordWrapperType` says.
    """
    media_type = content_type(settings)
    if input_mode(settings) == "Pipe":
        return media_type == RECORDS or _wrapper(settings) == "recordio"
    return media_type == RECORDS or (media_type is None and _holds_record_files_only(folder))


def is_sharded(settings: dict[str, Any]) -> bool:
    """Whether each of several hosts gets a part of the channel's files."""
    return _text(settings, "S3DistributionType").lower() == _SHARDED.lower()


def complaints(name: str, settings: object, known: Collection[str], folder: Path) -> list[str]:
    """All that is wrong with the channel `name`, a clause each; `known` are those there may be."""
    if name not in known:
        return [f"this algorithm has no such channel{did_you_mean(name, known)}"]
    if not isinstance(settings, dict):
        return [f"found {show(settings)}, allowed: a JSON object of the channel's settings"]
    found = [
        _about_mode(name, settings),
        _about_content_type(name, settings),
        _about_wrapper(settings),
        _about_distribution(settings),
        _about_folder(folder) if input_mode(settings) != "Pipe" else None,
    ]
    return [complaint for complaint in found if complaint]


def _about_mode(name: str, settings: dict[str, Any]) -> str | None:
    mode = input_mode(settings)
    if mode not in _INPUT_MODES.values():
        allowed = "File, FastFile or Pipe" if name in _STREAMED else "File or FastFile"
        return f"found TrainingInputMode {show(mode)}, allowed: {allowed}"
    if mode == "Pipe" and name not in _STREAMED:
        return "found TrainingInputMode 'Pipe', allowed: File or FastFile"
    if mode == "Pipe" and not holds_records(settings, Path()):
        return (
            "a Pipe brings nothing that tells one image from the next unless it is RecordIO: set "
            f"ContentType {RECORDS} and RecordWrapperType RecordIO, or TrainingInputMode File"
        )
    return None


def _about_content_type(name: str, settings: dict[str, Any]) -> str | None:
    allowed = _CONTENT_TYPES.get(name)
    media_type = content_type(settings)
    if media_type is None or allowed is None or media_type in allowed:
        return None
    return (
        f"found ContentType {show(_text(settings, 'ContentType'))}, "
        f"allowed: {', '.join(allowed)}, or none at all"
    )


def _about_wrapper(settings: dict[str, Any]) -> str | None:
    if _wrapper(settings) in ("", "none", "recordio"):
        return None
    return (
        f"found RecordWrapperType {show(_text(settings, 'RecordWrapperType'))}, "
        "allowed: None or RecordIO"
    )


def _about_distribution(settings: dict[str, Any]) -> str | None:
    distribution = _text(settings, "S3DistributionType")
    if distribution.lower() in ("", _FULL.lower(), _SHARDED.lower()):
        return None
    return f"found S3DistributionType {show(distribution)}, allowed: {_FULL} or {_SHARDED}"


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


def _holds_record_files_only(folder: Path) -> bool:
    """At least one ``.rec`` file below the folder, and no image; an unreadable one has neither."""
    found = False
    for _, _, names in os.walk(folder):
        suffixes = {Path(name).suffix.lower() for name in names}
        if suffixes & IMAGE_SUFFIXES:
            return False
        found = found or RECORD_SUFFIX in suffixes
    return found


def _wrapper(settings: dict[str, Any]) -> str:
    return _text(settings, "RecordWrapperType").lower()


def _text(settings: dict[str, Any], key: str) -> str:
    """A setting as text, empty where it is absent or null."""
    value = settings.get(key)
    return "" if value is None else str(value).strip()
