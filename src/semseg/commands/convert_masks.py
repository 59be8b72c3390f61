"""`semseg convert-masks`: masks whose colours are classes to masks that `train` reads."""

import argparse
import sys
from pathlib import Path

from semseg.commands import Commands
from semseg.commands.tables import percentage, table
from semseg.data.colour_map import ColourMap
from semseg.data.colour_map_files import read_colour_map
from semseg.data.colours import name_of
from semseg.data.conversion import Written, convert_folder

_DESCRIPTION = """\
Turns masks in which colours tell the classes into masks whose pixel values are
class numbers: 8-bit PNGs with a palette, under the same names. The colours of
palettes count, not their indices. Files that are there are never replaced.

The colour map is one of

  Ground Truth's internal-color-map, alone, or in the metadata, the line or the
  whole output manifest that holds it:
      {"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"}, "1": ...}
  its keys are the class numbers;

  a CSV of names and colours, the rows being classes 0, 1, 2 ...
      background,#000000
      road,#2acf59
  (where all names are numbers, they are the class numbers). Colours may also be
  written as 2acf59, 42 207 89, or by name.

Transparent and black pixels are the ground. If the map has a class for it, one
called background or one whose colour is transparent or black, they are that
class. If it has none, they are class 0 and the map's classes follow, from 1
(keys of Ground Truth that leave 0 free stay as they are).
"""


def add_to(commands: Commands) -> None:
    """Adds the command to the parsers of `semseg`."""
    parser = commands.add_parser(
        "convert-masks",
        help="turn masks in colour into masks of class numbers",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="folder of masks in colour")
    parser.add_argument(
        "target", type=Path, metavar="TARGET", help="folder for the masks of class numbers"
    )
    parser.add_argument(
        "--color-map",
        type=Path,
        required=True,
        metavar="FILE",
        help="which colour is which class: JSON of Ground Truth, or CSV",
    )
    parser.add_argument(
        "--nearest",
        action="store_true",
        help="give colours that are not in the map, as of smoothed edges, the class of the nearest"
        " one (by red, green and blue; less than half opaque is ground) instead of refusing them",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Converts a folder and prints what became which class.

    Raises:
        CustomerError: a map or masks that can't be used, all that is wrong at once; nothing is
            written then.
    """
    colour_map = read_colour_map(options.color_map)
    written = convert_folder(
        options.source, options.target, colour_map, options.nearest, sys.stderr.isatty()
    )
    print(_summary(written, colour_map))
    print(f"\n{written.masks} mask{'s' * (written.masks != 1)} in {options.target}", end="; ")
    print(f"num_classes: {colour_map.num_classes}")


def _summary(written: Written, colour_map: ColourMap) -> str:
    total = sum(written.pixels)
    rows = [
        (
            str(one.number),
            one.name,
            name_of(one.colour),
            f"{written.masks_with[one.number]:,}",
            f"{written.pixels[one.number]:,}",
            percentage(written.pixels[one.number], total),
        )
        for one in colour_map.classes
    ]
    text = table(("class", "name", "colour", "masks", "pixels", "share"), rows, left=(1, 2))
    if written.nearest:
        part = percentage(written.nearest, total)
        text += f"\n\n{written.nearest:,} pixels ({part}) have the class of the nearest colour"
    return text
