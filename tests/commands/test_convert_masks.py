"""`semseg convert-masks` as a person calls it, and `train` on what it wrote."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semseg.cli import main

GROUND_TRUTH = {
    "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"},
    "1": {"class-name": "buildings", "hex-color": "#2acf59"},
    "2": {"class-name": "road", "hex-color": "#f28333"},
}


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """A Ground Truth mask whose palette is numbered anew, and one with a transparent ground."""
    folder = tmp_path / "masks"
    folder.mkdir()
    indexed = Image.frombytes("P", (4, 1), bytes([9, 38, 38, 75]))
    palette = {9: (255, 255, 255), 38: (242, 131, 51), 75: (42, 207, 89)}
    indexed.putpalette([value for index in range(256) for value in palette.get(index, (0, 0, 0))])
    indexed.save(folder / "a.png")
    clear = Image.new("RGBA", (4, 1), (0, 0, 0, 0))
    clear.putpixel((3, 0), (42, 207, 89, 255))
    clear.save(folder / "b.png")
    return folder


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def labels(folder: Path) -> dict[str, list[int]]:
    return {
        path.stem: np.asarray(Image.open(path))[0].tolist() for path in sorted(folder.iterdir())
    }


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["convert-masks", *arguments])
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err


def test_a_ground_truth_map(
    masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "colors.json", json.dumps({"internal-color-map": GROUND_TRUTH}))
    main(["convert-masks", str(masks), str(tmp_path / "classes"), "--color-map", file])
    assert labels(tmp_path / "classes") == {"a": [0, 2, 2, 1], "b": [0, 0, 0, 1]}
    assert capsys.readouterr().out == (
        "class  name        colour   masks  pixels   share\n"
        "    0  BACKGROUND  #ffffff      2       4  50.0 %\n"
        "    1  buildings   #2acf59      2       2  25.0 %\n"
        "    2  road        #f28333      1       2  25.0 %\n"
        "\n"
        f"2 masks in {tmp_path / 'classes'}; num_classes: 3\n"
    )


def test_a_csv_without_a_ground(masks: Path, tmp_path: Path) -> None:
    (masks / "a.png").unlink()
    file = write(tmp_path / "colors.csv", "road,#f28333\nbuildings,#2acf59\n")
    main(["convert-masks", str(masks), str(tmp_path / "classes"), "--color-map", file])
    assert labels(tmp_path / "classes") == {"b": [0, 0, 0, 2]}


def test_colours_in_between(
    masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "colors.csv", "background,#ffffff\nroad,#f28333\n")
    arguments = [str(masks), str(tmp_path / "classes"), "--color-map", file]
    error = refusal(capsys, *arguments)
    assert error.startswith("ERROR: 2 problems in the data: 2 masks with colours not in the map.\n")
    assert (
        f"{masks}/a.png: 1 of 4 pixels have a colour that is not in the map: #2acf59 (1)" in error
    )
    main(["convert-masks", *arguments, "--nearest"])
    assert "2 pixels (25.0 %) have the class of the nearest colour" in capsys.readouterr().out


def test_a_map_of_no_use(masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "colors.csv", "road,#f2833\nroad,blue\nsky,blue\n")
    error = refusal(capsys, str(masks), str(tmp_path / "classes"), "--color-map", file)
    assert "2 problems in the data: 2 mistakes in colour maps." in error
    assert "colors.csv: line 1: '#f2833' is no colour" in error


def test_it_needs_no_mxnet(masks: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "colors.json", json.dumps(GROUND_TRUTH))
    command = [sys.executable, "-X", "importtime", "-m", "semseg.cli", "convert-masks"]
    done = subprocess.run(
        [*command, str(masks), str(tmp_path / "classes"), "--color-map", file],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "mxnet" not in done.stderr


def test_help_tells_which_class_a_colour_becomes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["convert-masks", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "If it has none, they are class 0 and the map's classes follow, from 1" in text


def test_what_cannot_be_written_to_is_told_before_the_masks_are_read(
    masks: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make_read_only: Callable[[Path], None],
) -> None:
    file = write(tmp_path / "colors.csv", "road,#f28333\nbuildings,#2acf59\n")
    (masks / "b.png").write_bytes(b"no picture")
    make_read_only(tmp_path)
    said = refusal(capsys, str(masks), str(tmp_path / "classes"), "--color-map", file)
    assert f"Nothing can be written to {tmp_path / 'classes'}: Read-only file system" in said
    assert "or choose another folder for the masks" in said
    assert "b.png" not in said
