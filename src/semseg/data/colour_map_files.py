"""Colour maps as people have them: Ground Truth's `internal-color-map`, or a CSV of two columns.

Ground Truth writes `{"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"}, "1": ...}` into the
metadata of each line of its output manifest. The map alone, the metadata around it, a line and a
whole manifest are all read; lines may name different classes, but may not contradict each other.

A CSV has a name and a colour in each row, in either order, under a header or not. A colour is
`#2acf59`, `2acf59`, `42 207 89` (also in columns of their own) or a name that CSS knows.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import ImageColor

from semseg.data.colour_map import ColourMap, Entry, number_classes
from semseg.data.colours import TRANSPARENT, code_of, name_of
from semseg.data.problems import Kind, Problem, UnsoundData, printable
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.hyperparameter_schema import MOST_CLASSES
from semseg.sagemaker.json_files import read_json_objects
from semseg.sagemaker.problems import show

_GROUND_TRUTH_KEY = "internal-color-map"
_HEADER = re.compile(r"colou?r|hex|rgb|^r\W+g\W+b$", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,4}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{6}", re.IGNORECASE)
_THREE_NUMBERS = re.compile(r"\(?(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})\)?", re.ASCII)
_A_ROW_IS = "a row is a name and a colour, such as road,#2acf59"


def read_colour_map(path: Path) -> ColourMap:
    """The colour map in a file of either format, which its first character tells apart.

    Raises `UnsoundData` with all that is wrong with it.
    """
    where = printable(path.name)
    try:
        is_json = path.read_bytes().lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
        entries, complaints = _read_json(path) if is_json else _read_csv(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnsoundData([Problem(Kind.COLOUR_MAP, where, f"cannot be read: {error}")]) from error
    except CustomerError as error:  # its text begins with the name of the file
        text = str(error).removeprefix(f"{path.name} ")
        raise UnsoundData([Problem(Kind.COLOUR_MAP, where, text)]) from error
    complaints += _about(entries)
    if not complaints:
        colour_map = number_classes(entries)
        if colour_map.num_classes <= MOST_CLASSES:
            return colour_map
        complaints.append(
            f"its last class is {colour_map.num_classes - 1}, and there can be {MOST_CLASSES}."
        )
    raise UnsoundData([Problem(Kind.COLOUR_MAP, where, text) for text in complaints])


def colour_of(text: str) -> int | None:
    """The number of a colour, `colours.TRANSPARENT` included; None where the text is no colour."""
    text = text.strip()
    if text.lower() == "transparent":
        return TRANSPARENT
    if numbers := _THREE_NUMBERS.fullmatch(text):
        channels: tuple[int, ...] = tuple(map(int, numbers.groups()))
    else:
        try:
            channels = ImageColor.getrgb(f"#{text}" if _HEX.fullmatch(text) else text)
        except ValueError:
            return None
    if max(channels) > 255 or channels[3:] not in ((), (0,), (255,)):
        return None
    return code_of(*channels)


def _read_json(path: Path) -> tuple[list[Entry], list[str]]:
    """The classes of all maps in a file, each once, and what is wrong with them."""
    entries: dict[tuple[int | None, str, int], Entry] = {}
    complaints: list[str] = []
    maps = [found for content in read_json_objects(path) for found in _maps_in(content)]
    if not maps:
        complaints.append(
            f'it holds no {_GROUND_TRUTH_KEY}: {{"0": {{"class-name": "BACKGROUND",'
            ' "hex-color": "#ffffff"}, ...}.'
        )
    for key, content in (item for found in maps for item in found.items()):
        number = int(key) if _NUMBER.fullmatch(key) else None
        settings = content if isinstance(content, dict) else {}
        text = settings.get("hex-color")
        colour = colour_of(text) if isinstance(text, str) else None
        if number is None:
            complaints.append(f"{show(key)} is no class number.")
        elif colour is None:
            complaints.append(f"class {show(key)} has no hex-color such as #2acf59.")
        else:
            entry = Entry(number, str(settings.get("class-name", key)), colour)
            entries[entry.number, entry.name, entry.colour] = entry
    return list(entries.values()), list(dict.fromkeys(complaints))


def _maps_in(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The maps of a JSON object: its own, or those of the metadata in it; or it is one itself."""
    holders = [content, *(value for value in content.values() if isinstance(value, dict))]
    found = [holder[_GROUND_TRUTH_KEY] for holder in holders if _GROUND_TRUTH_KEY in holder]
    if found:
        yield from (one for one in found if isinstance(one, dict))
    elif content and all(map(_NUMBER.fullmatch, content)):
        yield content


def _read_csv(path: Path) -> tuple[list[Entry], list[str]]:
    """The classes of the rows, and what is wrong with them; if all names are numbers, theirs."""
    text = path.read_bytes().decode("utf-8-sig")
    first_line = text.lstrip().partition("\n")[0]
    delimiter = next((mark for mark in "\t;" if mark in first_line), ",")
    reader = csv.reader(text.splitlines(), delimiter=delimiter, skipinitialspace=True)
    rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    readings = [
        [(line, row[0], " ".join(row[1:])) for line, row in rows],
        [(line, row[-1], " ".join(row[:-1])) for line, row in rows],
    ]
    reading = max(readings, key=_colours_in)
    entries, complaints = [], []
    numbered = all(_NUMBER.fullmatch(name) for _, name, _ in reading)
    for place, (line, name, colour) in enumerate(reading):
        code = colour_of(colour)
        if code is not None:
            entries.append(Entry(int(name) if numbered else None, name, code))
        elif place or not _HEADER.search(colour):
            complaints.append(f"line {line}: {show(colour)} is no colour; {_A_ROW_IS}.")
    if not rows:
        complaints.append(f"it is empty; {_A_ROW_IS}.")
    return entries, complaints


def _colours_in(rows: list[tuple[int, str, str]]) -> int:
    return sum(colour_of(colour) is not None for _, _, colour in rows)


def _who(entry: Entry) -> str:
    return show(entry.name) if entry.number is None else f"class {entry.number} {show(entry.name)}"


def _about(entries: list[Entry]) -> Iterator[str]:
    """What cannot be right about classes that are each well written."""
    colours: dict[int, Entry] = {}
    numbers: dict[int | None, Entry] = {}
    names: dict[str, Entry] = {}
    for entry in entries:
        first = colours.setdefault(entry.colour, entry)
        if first is not entry:
            yield f"{name_of(entry.colour)} is the colour of {_who(first)} and {_who(entry)}."
        elif entry.number is not None and numbers.setdefault(entry.number, entry) is not entry:
            other = numbers[entry.number]
            yield (
                f"class {entry.number} is {show(other.name)} in {name_of(other.colour)}"
                f" and {show(entry.name)} in {name_of(entry.colour)}."
            )
        elif names.setdefault(entry.name, entry) is not entry:
            yield f"{show(entry.name)} stands in it twice."
