"""The files below a channel's folder, by name.

A file's name is its path below the channel, without the suffix. What is not wanted is passed over
with the original's warning; what may not be looked into is a problem of the data, like any other.
"""

import errno
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from semseg.data.problems import Kind, Problem, in_channel, printable
from semseg.sagemaker.channels import Channel

_LOG = logging.getLogger(__name__)

# The owner can mend these; anything else is the machine's fault and ends the job.
_NOT_TO_BE_LISTED = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOENT)

ByName = dict[str, list[Path]]


@dataclass
class Listing:
    """Files by name, each name's in their order, and folders that may not be listed."""

    files: ByName = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def list_files(
    channel: Channel, suffixes: frozenset[str] | None, passed_over: frozenset[str] = frozenset()
) -> Listing:
    """The files of a channel that have one of the suffixes; a warning for each other entry.

    Without suffixes, all that are not hidden are wanted.

    `passed_over` names folders and files that are not wanted whatever their suffix. Links are
    followed, but not round in circles. Opens no file.
    """

    def wanted(entry: os.DirEntry[str]) -> bool:
        if entry.name.startswith(".") or entry.name in passed_over:
            return False
        # Reading finds out where a link leads.
        is_file = _holds(entry.is_file) or entry.is_symlink()
        fits = suffixes is None or Path(entry.name).suffix.lower() in suffixes
        return _holds(entry.is_dir) or (is_file and fits)

    listing = Listing()
    for path in _walk(channel, channel.path, wanted, (), listing.problems):
        name = path.relative_to(channel.path).with_suffix("").as_posix()
        listing.files.setdefault(name, []).append(path)
    return listing


def _walk(
    channel: Channel,
    folder: Path,
    wanted: Callable[[os.DirEntry[str]], bool],
    inside: tuple[Path, ...],
    problems: list[Problem],
) -> Iterator[Path]:
    inside = (*inside, folder.resolve())
    for entry in _entries(channel, folder, problems):
        path = Path(entry.path)
        if not wanted(entry):
            _LOG.warning("%s is not a readable image file", printable(path))
        elif not _holds(entry.is_dir):
            yield path
        elif path.resolve() not in inside:
            yield from _walk(channel, path, wanted, inside, problems)


def _entries(channel: Channel, folder: Path, problems: list[Problem]) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        if error.errno not in _NOT_TO_BE_LISTED:
            raise
        text = f"the folder cannot be listed ({error.strerror}): make it readable or remove it."
        problems.append(Problem(Kind.UNREADABLE, in_channel(channel, folder), text))
        return []


def _holds(question: Callable[[], bool]) -> bool:
    """The answer; no, where a link leads in a circle or to where one may not look."""
    try:
        return question()
    except OSError:
        return False
