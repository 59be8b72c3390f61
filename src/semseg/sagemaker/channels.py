"""The channels of a job, as ``inputdataconfig.json`` describes them.

SageMaker lays files such as ``train-manifest`` beside the channels' folders, so only this file says
what a channel is. How the data of a channel arrive is its own: images may be streamed while a label
map or a seed model comes as files.
"""

import logging
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from semseg.sagemaker import channel_settings as rules
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.json_files import read_json_object
from semseg.sagemaker.problems import Problem, summarize
from semseg.sagemaker.tree import Tree

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Channel:
    """A folder of files, or with `input_mode` ``Pipe`` a FIFO for each epoch.

    `content_type` is None where the job names none, as is common. `holds_records` tells RecordIO,
    image and mask by turns, from plain files; `is_sharded`, a channel of which each of several
    hosts has a part, from one that each has whole.
    """

    name: str
    path: Path
    content_type: str | None
    input_mode: str
    holds_records: bool = False
    is_sharded: bool = False

    @property
    def is_pipe(self) -> bool:
        """Whether the data come through FIFOs, and `path` is no folder."""
        return self.input_mode == "Pipe"

    def fifo(self, epoch: int) -> Path:
        """Where SageMaker makes the FIFO of an epoch, from 0; it may not be there yet."""
        return self.path.with_name(f"{self.path.name}_{epoch}")


@dataclass(frozen=True)
class Channels:
    """What the algorithm reads; a field is named as its channel.

    An annotation channel is there where its images come as plain files, and nowhere else: records
    bring their masks along. The others are None where the job does not have them.
    """

    train: Channel
    validation: Channel
    train_annotation: Channel | None = None
    validation_annotation: Channel | None = None
    test: Channel | None = None
    test_annotation: Channel | None = None
    label_map: Channel | None = None
    model: Channel | None = None


CHANNEL_NAMES = tuple(field.name for field in fields(Channels))
IMAGE_CHANNELS = ("train", "validation", "test")
REQUIRED_CHANNELS = ("train", "validation")


def annotation_of(images: str) -> str:
    """The channel that holds the masks of an image channel."""
    return f"{images}_annotation"


def read_channels(tree: Tree) -> Channels:
    """The channels of the job in `tree`; each that holds files has a folder that can be listed.

    Raises CustomerError: ``inputdataconfig.json`` missing or malformed, or all that is wrong with
    the channels at once. No file is opened and no FIFO waited for.
    """
    configuration = read_json_object(tree.inputdataconfig)
    found = {
        name: _channel(name, settings, tree)
        for name, settings in configuration.items()
        if name in CHANNEL_NAMES and isinstance(settings, dict)
    }
    not_read = {annotation_of(name) for name in IMAGE_CHANNELS if _brings_masks(found.get(name))}
    problems = [*_missing(configuration, found)]
    for name, settings in configuration.items():
        if name not in not_read:
            texts = rules.complaints(name, settings, CHANNEL_NAMES, tree.channel(name))
            problems += [Problem(name, text) for text in texts]
    if problems:
        raise CustomerError(summarize(tree.inputdataconfig.name, problems))
    for name in sorted(found.keys() & not_read):
        images = name.removesuffix("_annotation")
        _LOG.warning("%s is not read: the records of %s bring their masks along", name, images)
    for name in CHANNEL_NAMES:
        if name not in configuration and tree.channel(name).is_dir():
            _LOG.warning(
                "%s is not read: %s has no channel %s",
                tree.channel(name),
                tree.inputdataconfig.name,
                name,
            )
    return Channels(**{name: found[name] for name in found if name not in not_read})


def _channel(name: str, settings: dict[str, Any], tree: Tree) -> Channel:
    path = tree.channel(name)
    mode = rules.input_mode(settings)
    records = name in IMAGE_CHANNELS and rules.holds_records(settings, path)
    sharded = rules.is_sharded(settings)
    return Channel(name, path, rules.content_type(settings), mode, records, sharded)


def _missing(configuration: dict[str, Any], found: dict[str, Channel]) -> list[Problem]:
    """The absent channels. Masks are asked for where the images are, or ought to be, files."""
    problems = []
    for name in IMAGE_CHANNELS:
        masks = annotation_of(name)
        if name not in configuration and (name in REQUIRED_CHANNELS or masks in configuration):
            problems.append(Problem(name, "this channel is required, and the job does not have it"))
        images = found.get(name)
        wanted = images is not None or name in REQUIRED_CHANNELS
        if wanted and masks not in configuration and not _brings_masks(images):
            text = (
                f"this channel is required where {name} holds files, and the job does not have it"
            )
            problems.append(Problem(masks, text))
    return problems


def _brings_masks(images: Channel | None) -> bool:
    """Of what is streamed it is asked elsewhere whether it is records."""
    return images is not None and (images.holds_records or images.is_pipe)
