"""A folder of masks in colour to a folder of masks whose pixel values are class numbers.

Nothing is written unless every mask can be converted, and no file that is there is replaced by
another. A mask that an earlier run wrote is the same to the byte, and so no hindrance: what was
interrupted is completed by running it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from semseg.data.colour_map import ColourMap
from semseg.data.colour_masks import Converted, OtherColours, convert
from semseg.data.folders import ByName, list_files
from semseg.data.images import ImageError, NotAMask, open_image
from semseg.data.parallel import threads
from semseg.data.problems import Kind, Problem, UnsoundData, in_channel, printable
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.files import check_target, write_bytes

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
_FEW_COLOURS = 8


@dataclass(frozen=True)
class Written:
    """What became of one mask or of all: pixels and masks by class number, 256 each, and how many
    pixels have the class of the nearest colour only.
    """

    pixels: tuple[int, ...]
    masks_with: tuple[int, ...]
    masks: int = 1
    nearest: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(
            tuple(map(sum, zip(self.pixels, other.pixels, strict=True))),
            tuple(map(sum, zip(self.masks_with, other.masks_with, strict=True))),
            self.masks + other.masks,
            self.nearest + other.nearest,
        )


def convert_folder(
    source: Path, target: Path, colour_map: ColourMap, nearest: bool, progress: bool = False
) -> Written:
    """Write the mask `target/a/b.png` for each picture `source/a/b`, whatever its suffix.

    `nearest` is `convert`'s; `progress` shows a bar. Raises `UnsoundData` with all that keeps any
    picture from being converted, `CustomerError` for folders of no use, and OSError.
    """
    _check_folders(source, target)
    sources = Channel(str(source), source, None, "File")
    listing = list_files(sources, _PICTURES)
    work = [
        _Conversion(sources, paths[0], target / f"{name}.png", colour_map, nearest)
        for name, paths in listing.files.items()
    ]
    problems = [*listing.problems, *_about_names(sources, listing.files)]
    with threads(2 * len(work), "Converting", progress) as run:
        checked = [*run([one.check for one in work])]
        problems += [found.problem for found in checked if found.problem]
        if problems:
            raise UnsoundData(problems, _hints(max((one.colours for one in checked), default=0)))
        _make(target)
        return sum(run([one.write for one in work]), Written((0,) * 256, (0,) * 256, masks=0))


@dataclass(frozen=True)
class _Checked:
    """What is wrong with a picture, and how many colours it has that are not in the map."""

    problem: Problem | None = None
    colours: int = 0


@dataclass(frozen=True)
class _Conversion:
    """One picture, and the file that its mask is to be."""

    channel: Channel
    source: Path
    target: Path
    colour_map: ColourMap
    nearest: bool

    def check(self) -> _Checked:
        """Do everything but write."""
        try:
            data = self._converted().encoded()
        except OtherColours as error:
            return _Checked(self._problem(Kind.OTHER_COLOURS, str(error)), error.colours)
        except NotAMask as error:
            return _Checked(self._problem(Kind.NO_COLOURS, str(error)))
        except ImageError as error:
            return _Checked(self._problem(Kind.UNREADABLE, str(error)))
        if _holds_something_else(self.target, data):
            text = (
                f"its mask would overwrite {printable(self.target)}, which holds something else:"
                " remove that file, or choose another folder."
            )
            return _Checked(self._problem(Kind.OVERWRITTEN, text))
        return _Checked()

    def write(self) -> Written:
        """Write the mask, unless it is there already."""
        try:
            converted = self._converted()
        except ImageError as error:
            where = in_channel(self.channel, self.source)
            raise CustomerError(f"{where} was sound when it was checked: {error}") from error
        data = converted.encoded()
        if not self.target.exists():
            write_bytes(self.target, data)
        pixels = converted.mask.histogram()
        masks_with = tuple(int(count > 0) for count in pixels)
        return Written(tuple(pixels), masks_with, nearest=converted.nearest)

    def _converted(self) -> Converted:
        return convert(open_image(self.source), self.colour_map, self.nearest)

    def _problem(self, kind: Kind, text: str) -> Problem:
        return Problem(kind, in_channel(self.channel, self.source), text)


def _check_folders(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise CustomerError(f"There is no folder {printable(source)} with masks to convert.")
    check_target(target, "choose another folder for the masks")
    if source.resolve() in (target.resolve(), *target.resolve().parents):
        raise CustomerError(
            f"The masks would be written into {printable(source)}, where the next conversion would"
            " take them for masks in colour: choose a folder that is not in it."
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CustomerError(
            f"The folder {printable(folder)} cannot be made: {error.strerror}."
        ) from error


def _about_names(channel: Channel, files: ByName) -> Iterator[Problem]:
    if not files:
        yield Problem(Kind.EMPTY_CHANNEL, channel.name, "holds no picture.")
    for paths in files.values():
        for other in paths[1:]:
            text = f"would become the same mask as {in_channel(channel, paths[0])}: rename one."
            yield Problem(Kind.SAME_NAME, in_channel(channel, other), text)


def _holds_something_else(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() != data
    except FileNotFoundError:
        return False
    except OSError:  # a folder, perhaps
        return True


def _hints(colours: int) -> list[str]:
    """What to do about colours that are not in the map, as many as one mask has at most."""
    if not colours:
        return []
    if colours <= _FEW_COLOURS:
        return ["Add the colours to the map, or let --nearest take the nearest one that is in it."]
    return [
        f"Up to {colours} colours in a mask come from smoothed (anti-aliased) edges or from JPEG:"
        " --nearest takes the nearest colour that is in the map."
    ]
