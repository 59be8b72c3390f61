import os
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semseg.data import conversion
from semseg.data.colour_map import Entry, number_classes
from semseg.data.colours import code_of
from semseg.data.conversion import Written, convert_folder
from semseg.data.problems import Kind, UnsoundData
from semseg.sagemaker.errors import CustomerError

MAP = number_classes(
    [Entry(None, "red", code_of(255, 0, 0)), Entry(None, "blue", code_of(0, 0, 255))]
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two masks of 6 x 4 pixels: red on black, and blue on transparent ground below a folder."""
    folder = tmp_path / "masks"
    (folder / "street").mkdir(parents=True)
    paint(folder / "a.png", "RGB", "black", "red")
    paint(folder / "street" / "b.png", "RGBA", "#00000000", "blue")
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new" / "classes"


def paint(path: Path, mode: str, ground: str, colour: str) -> None:
    picture = Image.new(mode, (6, 4), ground)
    picture.paste(colour, (0, 0, 3, 2))
    picture.save(path)


def convert(source: Path, target: Path, nearest: bool = False) -> Written:
    return convert_folder(source, target, MAP, nearest)


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def labels(path: Path) -> list[list[int]]:
    with Image.open(path) as mask:
        return np.asarray(mask).tolist()


def refusal(source: Path, target: Path, nearest: bool = False) -> UnsoundData:
    with pytest.raises(UnsoundData) as caught:
        convert(source, target, nearest)
    return caught.value


def test_a_folder_with_folders(source: Path, target: Path) -> None:
    before = content(source)
    written = convert(source, target)
    assert content(source) == before
    assert sorted(content(target)) == ["a.png", "street/b.png"]
    assert labels(target / "a.png") == [[1, 1, 1, 0, 0, 0]] * 2 + [[0] * 6] * 2
    assert labels(target / "street" / "b.png") == [[2, 2, 2, 0, 0, 0]] * 2 + [[0] * 6] * 2
    assert (written.masks, written.nearest) == (2, 0)
    assert written.pixels[:4] == (36, 6, 6, 0)
    assert written.masks_with[:4] == (2, 1, 1, 0)


def test_everything_that_is_wrong_at_once_and_nothing_written(source: Path, target: Path) -> None:
    paint(source / "c.png", "RGB", "black", "#800000")
    (source / "d.png").write_bytes(b"no picture")
    Image.fromarray(np.arange(6, dtype=np.uint8)[None]).save(source / "e.png")
    paint(source / "a.bmp", "RGB", "black", "red")
    (source / "f.png").symlink_to("f.png")
    refused = refusal(source, target)
    assert [(problem.kind, problem.where) for problem in refused.problems] == [
        (Kind.SAME_NAME, f"{source}/a.png"),
        (Kind.OTHER_COLOURS, f"{source}/c.png"),
        (Kind.UNREADABLE, f"{source}/d.png"),
        (Kind.NO_COLOURS, f"{source}/e.png"),
        (Kind.UNREADABLE, f"{source}/f.png"),
    ]
    assert refused.hints == (
        "Add the colours to the map, or let --nearest take the nearest one that is in it.",
    )
    assert "6 of 24 pixels have a colour that is not in the map: #800000 (6)." in str(refused)
    assert not target.exists()


def test_smoothed_edges_are_told_from_a_missing_class(source: Path, target: Path) -> None:
    with Image.open(source / "a.png") as mask:
        mask.resize((60, 40), Image.Resampling.BICUBIC).save(source / "a.png")
    (hint,) = refusal(source, target).hints
    assert "come from smoothed (anti-aliased) edges or from JPEG: --nearest takes" in hint
    written = convert(source, target, nearest=True)
    assert written.nearest > 0
    assert {label for row in labels(target / "a.png") for label in row} == {0, 1}


def test_another_run_finds_its_own_work_done(source: Path, target: Path) -> None:
    first = convert(source, target)
    before = {path: path.stat().st_mtime_ns for path in target.rglob("*.png")}
    (target / "a.png").unlink()
    assert convert(source, target) == first
    kept = target / "street" / "b.png"
    assert kept.stat().st_mtime_ns == before[kept]
    assert (target / "a.png").exists()


def test_what_is_there_is_never_overwritten(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    (target / "street").write_bytes(b"mine too")
    (target / "a.png").write_bytes(b"mine")
    refused = refusal(source, target)
    assert [problem.kind for problem in refused.problems] == [Kind.OVERWRITTEN] * 2
    assert f"would overwrite {target}/a.png, which holds something else" in str(refused)
    assert content(target) == {"a.png": b"mine", "street": b"mine too"}


def test_files_that_are_in_nobodys_way_stay(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    (target / "notes.txt").write_text("mine")
    convert(source, target)
    assert sorted(content(target)) == ["a.png", "notes.txt", "street/b.png"]


@pytest.mark.parametrize("inside", [".", "street", "new/folder"])
def test_masks_are_not_written_among_their_sources(source: Path, inside: str) -> None:
    before = content(source)
    with pytest.raises(CustomerError, match="choose a folder that is not in it"):
        convert(source, source / inside)
    assert content(source) == before


def test_a_source_below_the_target_is_not_overwritten(source: Path) -> None:
    inner = source / "masks" / "street"
    inner.mkdir(parents=True)
    paint(inner / "b.png", "RGB", "black", "red")
    refused = refusal(source / "masks", source)
    assert [problem.kind for problem in refused.problems] == [Kind.OVERWRITTEN]


def test_folders_of_no_use(source: Path, target: Path, tmp_path: Path) -> None:
    with pytest.raises(CustomerError, match="There is no folder "):
        convert(tmp_path / "nowhere", target)
    with pytest.raises(CustomerError, match="png is not a folder"):
        convert(source, source / "a.png")
    (tmp_path / "file").touch()
    with pytest.raises(CustomerError, match="file is not a folder"):
        convert(source, tmp_path / "file" / "classes")
    with pytest.raises(CustomerError, match="Nothing can be written to /proc/classes: "):
        convert(source, Path("/proc/classes"))
    (tmp_path / "empty").mkdir()
    assert [one.kind for one in refusal(tmp_path / "empty", target).problems] == [
        Kind.EMPTY_CHANNEL
    ]


def test_a_full_disk_leaves_whole_files_only(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    calls = []

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(conversion, "threads", one_thread)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        convert(source, target)
    assert list(content(target)) == ["a.png"]
    assert labels(target / "a.png")[0] == [1, 1, 1, 0, 0, 0]


def one_thread(total: int, description: str, progress: bool):
    return nullcontext(lambda tasks: (task() for task in tasks))
