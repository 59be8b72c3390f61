"""The parts of a dataset in a folder of channels, where no job says which channels there are."""

from collections.abc import Collection
from pathlib import Path

from semseg.data.label_map_files import read_label_maps
from semseg.data.problems import Kind, Problem, UnsoundData
from semseg.data.scan import Part
from semseg.sagemaker.channel_settings import holds_records
from semseg.sagemaker.channels import IMAGE_CHANNELS, REQUIRED_CHANNELS, Channel, annotation_of


def find_parts(
    folder: Path, num_classes: int, required: Collection[str] = REQUIRED_CHANNELS
) -> tuple[list[Part], list[Problem]]:
    """Each part whose channels are all there, and what is wrong with the channels.

    Parts that are not `required` need not be there. A folder is a channel by its name, and holds
    records where a job would take it to hold them. No part is returned where a label map is wrong:
    what the masks' values mean is not known then.
    """
    problems: list[Problem] = []
    found: list[tuple[Channel, Channel | None]] = []
    for name in IMAGE_CHANNELS:
        images, masks = _channel(folder, name), _channel(folder, annotation_of(name))
        if name not in required and not images.path.exists() and not masks.path.exists():
            continue
        wanted = [images] if images.holds_records else [images, masks]
        missing = [one for one in wanted if not one.path.is_dir()]
        problems += [Problem(Kind.MISSING_CHANNEL, one.name, _missing(one.path)) for one in missing]
        if not missing:
            found.append((images, None if images.holds_records else masks))
    try:
        label_map = _channel(folder, "label_map")
        label_maps = read_label_maps(label_map if label_map.path.is_dir() else None, num_classes)
    except UnsoundData as error:
        return [], [*problems, *error.problems]
    return [Part(images, masks, label_maps.of(images.name)) for images, masks in found], problems


def _channel(folder: Path, name: str) -> Channel:
    path = folder / name
    records = name in IMAGE_CHANNELS and holds_records({}, path)
    return Channel(name, path, None, "File", records)


def _missing(path: Path) -> str:
    return f"{path} is a file, and must be a folder." if path.exists() else f"there is no {path}."
