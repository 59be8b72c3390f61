import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.data.colour_map_files import colour_of, read_colour_map
from semseg.data.colours import TRANSPARENT, code_of, name_of
from semseg.data.problems import UnsoundData

GROUND_TRUTH = {
    "0": {"class-name": "BACKGROUND", "hex-color": "#ffffff", "confidence": 0.9},
    "1": {"class-name": "buildings", "hex-color": "#2acf59", "confidence": 0.9},
    "2": {"class-name": "road", "hex-color": "#f28333", "confidence": 0.9},
}
METADATA = {
    "internal-color-map": GROUND_TRUTH,
    "type": "groundtruth/semantic-segmentation",
    "human-annotated": "yes",
    "creation-date": "2018-10-18T22:18:13.527256",
    "job-name": "labeling-job/city",
}
LINE = {
    "source-ref": "s3://bucket/city.jpg",
    "city-ref": "s3://bucket/city.png",
    "city-ref-metadata": METADATA,
}
CLASSES = [(0, "BACKGROUND", "#ffffff"), (1, "buildings", "#2acf59"), (2, "road", "#f28333")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "colors"


def classes(file: Path, text: str) -> list[tuple[int, str, str]]:
    file.write_text(text)
    found = read_colour_map(file).classes
    return [(one.number, one.name, name_of(one.colour)) for one in found]


def complaints(file: Path, text: str | bytes) -> list[str]:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UnsoundData) as caught:
        read_colour_map(file)
    summary, *lines = str(caught.value).splitlines()
    assert "in a colour map" in summary or "in colour maps" in summary
    assert all(line.startswith("colors: ") for line in lines)
    return [line.removeprefix("colors: ") for line in lines]


@pytest.mark.parametrize("content", [GROUND_TRUTH, METADATA, LINE])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_ground_truth_map_wherever_it_stands(file: Path, content: object, indent: int) -> None:
    assert classes(file, json.dumps(content, indent=indent)) == CLASSES


def test_a_whole_manifest_whose_lines_name_different_classes(file: Path) -> None:
    lines = []
    for keys in ("01", "02", "0"):
        part = {key: GROUND_TRUTH[key] for key in keys}
        lines.append({**LINE, "city-ref-metadata": {**METADATA, "internal-color-map": part}})
    lines.append({"source-ref": "s3://bucket/failed.jpg", "city-ref-metadata": {"failure": "x"}})
    assert classes(file, "\n".join(map(json.dumps, lines)) + "\n") == CLASSES


def test_lines_that_contradict_each_other(file: Path) -> None:
    other = {"1": {"class-name": "sky", "hex-color": "#0000ff"}, "3": GROUND_TRUTH["2"]}
    text = "\n".join(json.dumps({"internal-color-map": one}) for one in (GROUND_TRUTH, other))
    assert complaints(file, text) == [
        "class 1 is 'buildings' in #2acf59 and 'sky' in #0000ff.",
        "#f28333 is the colour of class 2 'road' and class 3 'road'.",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "it holds no internal-color-map"),
        ('{"source-ref": "s3://bucket/city.jpg"}', "it holds no internal-color-map"),
        ('{"0": {"class-name": "a", "hex-color": "#ffff"', "is not valid JSON: "),
        ("[1]", "must hold a JSON object"),
        ('{"internal-color-map": {"car": {"hex-color": "#ff0000"}}}', "'car' is no class number"),
        ('{"0": {"class-name": "car"}}', "class '0' has no hex-color such as #2acf59"),
        ('{"0": "#ff0000"}', "class '0' has no hex-color"),
        ('{"254": {"hex-color": "#ff0000"}}', "its last class is 254, and there can be 254"),
        ("", "it is empty; a row is a name and a colour, such as road,#2acf59."),
        ("car\ntree", "line 1: '' is no colour"),
        ("road,#2acf5\ncar,#ff0000", "line 1: '#2acf5' is no colour"),
        ("car,#ff0000\ntree,#ff0000", "#ff0000 is the colour of 'car' and 'tree'"),
        ("car,#ff0000\ncar,#00ff00", "'car' stands in it twice"),
        ("car,300 0 0", "'300 0 0' is no colour"),
        ("car,#ff000080", "'#ff000080' is no colour"),
        (b"car,\xff\xfe", "cannot be read"),
    ],
)
def test_maps_that_are_none(file: Path, text: str | bytes, words: str) -> None:
    assert any(words in line for line in complaints(file, text))


def test_all_mistakes_at_once(file: Path) -> None:
    text = "car,#ff0000\ntree,greenish\nsky,#ff0000\nroad,12 13\n"
    assert len(complaints(file, text)) == 3


def test_no_such_file(file: Path) -> None:
    with pytest.raises(UnsoundData, match=r"colors: cannot be read: .*No such file"):
        read_colour_map(file)


@pytest.mark.parametrize(
    "text",
    [
        "road,#2acf59\ncar,#ff0000\n",
        "name,color\nroad,#2acf59\ncar,#ff0000",
        "\ufeffclass;hex\r\nroad;2acf59\r\ncar;FF0000\r\n",
        "road\t42 207 89\n\ncar\t255 0 0\n",
        'road,"42, 207, 89"\ncar,"(255, 0, 0)"\n',
        "name,r,g,b\nroad,42,207,89\ncar,255,0,0\n",
        "#2acf59,road\n#ff0000,car\n",
        "color,name\n#2acf59, road\nred, car\n",
    ],
)
def test_ways_to_write_a_csv(file: Path, text: str) -> None:
    assert classes(file, text) == [
        (0, "(ground)", "transparent"),
        (1, "road", "#2acf59"),
        (2, "car", "#ff0000"),
    ]


def test_names_that_could_be_colours_are_names_when_the_other_column_holds_colours(
    file: Path,
) -> None:
    text = "facade,#ff0000\ntan,#00ff00\nsky,#0000ff"
    assert [name for _, name, _ in classes(file, text)] == ["(ground)", "facade", "tan", "sky"]


@pytest.mark.parametrize("ground", ["sky,#000000", "background,#ffffff", "void,transparent"])
def test_a_csv_with_a_ground_numbers_its_rows(file: Path, ground: str) -> None:
    found = classes(file, f"{ground}\ncar,#ff0000")
    assert [number for number, _, _ in found] == [0, 1]


def test_names_that_are_numbers_are_the_classes(file: Path) -> None:
    assert classes(file, "7,#ff0000\n0,#000000\n3,#00ff00") == [
        (0, "0", "#000000"),
        (3, "3", "#00ff00"),
        (7, "7", "#ff0000"),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("#2acf59", code_of(42, 207, 89)),
        ("2ACF59", code_of(42, 207, 89)),
        ("#fff", code_of(255, 255, 255)),
        ("000000", code_of(0, 0, 0)),
        ("rgb(1, 2, 3)", code_of(1, 2, 3)),
        ("white", code_of(255, 255, 255)),
        ("Transparent", TRANSPARENT),
        ("#12345600", TRANSPARENT),
        ("#123456ff", code_of(18, 52, 86)),
        ("0", None),
        ("1 2", None),
        ("", None),
        ("x" * 200, None),
    ],
)
def test_colours(text: str, code: int | None) -> None:
    assert colour_of(text) == code


@given(st.text(max_size=60))
def test_any_text_is_a_map_or_is_refused_in_words(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "colors"
        file.write_text(text, "utf-8", newline="")
        try:
            found: object = read_colour_map(file).classes
        except UnsoundData as error:
            found = error.problems
        assert found
