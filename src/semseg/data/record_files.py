"""RecordIO files to pairs: image and mask by turns, as SageMaker sends an augmented manifest.

Each file is gone through once to find where its records start. Training then takes them in any
order, as it takes files.
"""

from pathlib import Path

from semseg.data.folders import Listing, list_files
from semseg.data.images import why_not_to_be_had
from semseg.data.label_maps import DEFAULT, LabelMap
from semseg.data.pairs import Pair, Pairing
from semseg.data.problems import Kind, Problem, in_channel
from semseg.data.sources import FileRecord
from semseg.sagemaker.channel_settings import RECORD_SUFFIX
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.recordio import BrokenRecord, read_records


def pair_up_records(channel: Channel, label_map: LabelMap = DEFAULT) -> Pairing:
    """Find the pairs in the ``.rec`` files of a channel, and what is wrong with the framing.

    Where no file has that suffix, all are taken for RecordIO, since the job says that they are.
    """
    pairs: list[Pair] = []
    alone: list[FileRecord] = []
    listing = list_files(channel, suffixes=None)
    problems = listing.problems
    for path in _record_files(listing):
        try:
            records, broken = _records(path)
        except OSError as error:
            if (reason := why_not_to_be_had(error)) is None:
                raise
            problems.append(Problem(Kind.UNREADABLE, in_channel(channel, path), reason))
            continue
        images, masks = records[::2], records[1::2]
        pairs += [
            Pair(f"{path.stem}/{image.number}", image, mask, label_map)
            for image, mask in zip(images, masks, strict=False)
        ]
        alone += images[len(masks) :]
        if broken is not None:
            place = FileRecord(path, broken.number, broken.offset)
            text = f"{broken}; nor can the rest of the file be read: write it anew."
            problems.append(Problem(Kind.BROKEN_RECORD, in_channel(channel, place), text))
        elif len(records) % 2:
            where, text = in_channel(channel, records[-1]), odd(len(records))
            problems.append(Problem(Kind.ODD_RECORDS, where, text))
    if not pairs and not problems:
        text = f"holds no records: neither in a {RECORD_SUFFIX} file nor in any other."
        problems.append(Problem(Kind.EMPTY_CHANNEL, channel.name, text))
    return Pairing(tuple(pairs), tuple(alone), (), tuple(problems))


def odd(count: int) -> str:
    """What is wrong with the last of so many records."""
    records = "is the only record" if count == 1 else f"is the last of {count} records"
    return f"{records}, an odd number: image and mask take turns, and it has no partner."


def _record_files(listing: Listing) -> list[Path]:
    files = [path for paths in listing.files.values() for path in paths]
    named = [path for path in files if path.suffix.lower() == RECORD_SUFFIX]
    return named or files


def _records(path: Path) -> tuple[list[FileRecord], BrokenRecord | None]:
    """Where the records of a file start, up to the first that is broken."""
    found: list[FileRecord] = []
    with path.open("rb") as file:
        try:
            for record in read_records(file):
                found.append(FileRecord(path, record.number, record.offset))
        except BrokenRecord as error:
            return found, error
    return found, None
