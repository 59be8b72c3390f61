"""The channels of a training job: folders in S3, or augmented manifests, and an earlier model."""

import argparse
from dataclasses import dataclass
from typing import Any

from scripts.aws.locations import S3, artifact
from semseg.sagemaker.channel_settings import RECORDS, SEED_MODEL
from semseg.sagemaker.channels import (
    CHANNEL_NAMES,
    IMAGE_CHANNELS,
    REQUIRED_CHANNELS,
    annotation_of,
)
from semseg.sagemaker.problems import did_you_mean

_MASK_CHANNELS = tuple(map(annotation_of, IMAGE_CHANNELS))
_FOLDERS = tuple(name for name in CHANNEL_NAMES if name != "model")


def add_channels(parser: argparse.ArgumentParser) -> None:
    """Where the data lies."""
    group = parser.add_argument_group(
        "data", "--data, --channel or both; or the two manifests with --attribute-names"
    )
    group.add_argument(
        "--data", type=S3.parse, metavar="S3", help="holds train, train_annotation and so on"
    )
    group.add_argument(
        "--channel",
        action="append",
        default=[],
        type=_named,
        metavar="NAME=S3",
        help="a channel that lies elsewhere, or label_map, test, test_annotation",
    )
    group.add_argument(
        "--records", action="store_true", help="image channels hold .rec files, masks included"
    )
    for name in REQUIRED_CHANNELS:
        group.add_argument(f"--{name}-manifest", type=S3.parse, metavar="S3", help="augmented")
    group.add_argument(
        "--attribute-names",
        nargs=2,
        metavar=("IMAGE", "MASK"),
        help="the manifests' attributes, such as source-ref and street-ref",
    )
    group.add_argument(
        "--shuffle-seed", type=int, metavar="N", help="shuffle the training manifest every epoch"
    )
    group.add_argument("--input-mode", choices=("File", "FastFile"), default="File")
    group.add_argument(
        "--model", type=artifact, metavar="S3", help="model.tar.gz of an earlier job to go on from"
    )


@dataclass(frozen=True)
class Channel:
    """One channel: where its data lies and the object of the request's `InputDataConfig`."""

    name: str
    place: S3
    settings: dict[str, Any]


def channels(options: argparse.Namespace) -> list[Channel]:
    """The job's channels, those with a manifest first."""
    found = [_manifest(name, place, options) for name, place in _manifests(options).items()]
    found += [_folder(name, place, options) for name, place in _folders(options).items()]
    return [*found, _model(options.model)] if options.model else found


def complaints(options: argparse.Namespace) -> list[str]:
    """What is wrong with the choice of channels."""
    folders = _folders(options)
    sentences = []
    for name in sorted(folders.keys() - _FOLDERS):
        hint = did_you_mean(name, _FOLDERS) or "."
        sentences.append(f"--channel {name}: this algorithm has no such channel{hint}")
    if not options.records and ("test" in folders) != (annotation_of("test") in folders):
        sentences.append("The channels test and test_annotation come in pairs.")
    about = _about_manifests if _manifests(options) else _about_folders
    return sentences + about(options, folders)


def _named(text: str) -> tuple[str, S3]:
    name, _, place = text.partition("=")
    return name, S3.parse(place)


def _manifests(options: argparse.Namespace) -> dict[str, S3]:
    places = {name: getattr(options, f"{name}_manifest") for name in REQUIRED_CHANNELS}
    return {name: place for name, place in places.items() if place}


def _folders(options: argparse.Namespace) -> dict[str, S3]:
    data = options.data
    places = {name: data.child(name) for name in _needed(options)} if data else {}
    return {name: place.folder() for name, place in (places | dict(options.channel)).items()}


def _needed(options: argparse.Namespace) -> tuple[str, ...]:
    """The channels of every job whose data come as files; records bring their masks along."""
    masks = () if options.records else map(annotation_of, REQUIRED_CHANNELS)
    return *REQUIRED_CHANNELS, *masks


def _about_folders(options: argparse.Namespace, folders: dict[str, S3]) -> list[str]:
    sentences = [
        f"--{name.replace('_', '-')} is for manifests (--train-manifest)."
        for name in ("attribute_names", "shuffle_seed")
        if getattr(options, name) is not None
    ]
    if missing := [name for name in _needed(options) if name not in folders]:
        sentences.append(
            f"The job lacks the channels {', '.join(missing)}: name a folder that holds them with "
            "--data, or each with --channel NAME=S3."
        )
    return sentences


def _about_manifests(options: argparse.Namespace, folders: dict[str, S3]) -> list[str]:
    sentences = []
    if len(_manifests(options)) < len(REQUIRED_CHANNELS):
        sentences.append("Manifests come in pairs: --train-manifest and --validation-manifest.")
    if not options.attribute_names:
        sentences.append("Manifests want --attribute-names, such as source-ref street-ref.")
    # https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest.html: the suffix makes
    # SageMaker send the file that the attribute names, and not its name.
    wrong = [name for name in options.attribute_names or () if not name.endswith("-ref")]
    if wrong:
        sentences.append(f"--attribute-names: {', '.join(wrong)} must end with -ref.")
    brought = {*REQUIRED_CHANNELS, *map(annotation_of, REQUIRED_CHANNELS)}
    if twice := [name for name in folders if name in brought]:
        sentences.append(
            "Manifests bring images and masks: leave out --data and the channels "
            f"{', '.join(twice)}."
        )
    if options.instance_count > 1:
        sentences.append(
            "Manifests are streamed, to one host only: leave out --instance-count "
            f"{options.instance_count}, or bring folders or .rec files instead."
        )
    return sentences


def _folder(name: str, place: S3, options: argparse.Namespace) -> Channel:
    content_type = None  # AWS names none for a label map
    if name in IMAGE_CHANNELS:
        content_type = RECORDS if options.records else "image/jpeg"
    elif name in _MASK_CHANNELS:
        content_type = "image/png"
    # A label map is read once, as a whole: streaming it would gain nothing.
    mode = options.input_mode if content_type else "File"
    return Channel(name, place, _settings(name, _source("S3Prefix", place), content_type, mode))


def _manifest(name: str, place: S3, options: argparse.Namespace) -> Channel:
    source = _source("AugmentedManifestFile", place)
    if options.attribute_names:
        source["AttributeNames"] = options.attribute_names
    settings = _settings(name, source, RECORDS, "Pipe")
    settings["RecordWrapperType"] = "RecordIO"
    if name == "train" and options.shuffle_seed is not None:
        settings["ShuffleConfig"] = {"Seed": options.shuffle_seed}
    return Channel(name, place, settings)


def _model(place: S3) -> Channel:
    source = _source("S3Prefix", place)
    return Channel("model", place, _settings("model", source, SEED_MODEL, "File"))


def _source(kind: str, place: S3) -> dict[str, Any]:
    return {
        "S3DataType": kind,
        "S3Uri": str(place),
        "S3DataDistributionType": "FullyReplicated",
    }


def _settings(
    name: str, source: dict[str, Any], content_type: str | None, mode: str
) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "CompressionType": "None",
        "RecordWrapperType": "None",
        "InputMode": mode,
    }
    return settings if content_type is None else settings | {"ContentType": content_type}
