"""The channel `label_map`: a file for each part whose pixel values are not its labels."""

import logging
from dataclasses import dataclass

from semseg.data.label_maps import DEFAULT, InvalidLabelMap, LabelMap, parse_label_map
from semseg.data.problems import Kind, Problem, UnsoundData, in_channel, printable
from semseg.sagemaker.channels import IMAGE_CHANNELS, Channel
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.json_files import read_json_object

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelMaps:
    """The label map of each part; `DEFAULT` where none is given."""

    train: LabelMap = DEFAULT
    validation: LabelMap = DEFAULT
    test: LabelMap = DEFAULT

    def of(self, part: str) -> LabelMap:
        """The map of `train`, `validation` or `test`."""
        found: LabelMap = getattr(self, part)
        return found


DEFAULT_MAPS = LabelMaps()


def file_name(part: str) -> str:
    """The name by which the channel knows the map of a part; AWS has train and validation."""
    return f"{part}_label_map.json"


def read_label_maps(channel: Channel | None, num_classes: int) -> LabelMaps:
    """The maps that the channel brings. Without a file of its own, `test` is read as `validation`.

    Raises `UnsoundData` with all that is wrong with any of the files.
    """
    if channel is None:
        return DEFAULT_MAPS
    names = {entry.name for entry in channel.path.iterdir()}
    wanted = {file_name(part): part for part in IMAGE_CHANNELS}
    known = ", ".join(wanted)
    for name in sorted(names - wanted.keys()):
        _LOG.warning("%s is not read: it is none of %s", printable(channel.path / name), known)
    maps: dict[str, LabelMap] = {}
    problems: list[Problem] = []
    for name in sorted(names & wanted.keys()):
        try:
            maps[wanted[name]] = parse_label_map(read_json_object(channel.path / name), num_classes)
        except InvalidLabelMap as error:
            problems += [_problem(channel, name, text) for text in error.complaints]
        except CustomerError as error:  # its text begins with the name of the file
            problems.append(_problem(channel, name, str(error).removeprefix(f"{name} ")))
    if not names & wanted.keys():
        text = (
            f"holds neither {file_name('train')} nor {file_name('validation')}:"
            " add one of them, or leave the channel out."
        )
        problems.append(Problem(Kind.LABEL_MAP, channel.name, text))
    if problems:
        raise UnsoundData(problems)
    return LabelMaps(**{"test": maps.get("validation", DEFAULT), **maps})


def _problem(channel: Channel, name: str, text: str) -> Problem:
    return Problem(Kind.LABEL_MAP, in_channel(channel, channel.path / name), text)
