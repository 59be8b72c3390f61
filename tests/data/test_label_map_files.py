import json
from pathlib import Path

import pytest

from semseg.data.label_map_files import DEFAULT_MAPS, LabelMaps, read_label_maps
from semseg.data.label_maps import DEFAULT
from semseg.data.problems import UnsoundData
from semseg.sagemaker.channels import Channel


@pytest.fixture
def channel(tmp_path: Path) -> Channel:
    folder = tmp_path / "label_map"
    folder.mkdir()
    return Channel("label_map", folder, None, "File")


def write(channel: Channel, **parts: object) -> None:
    for part, content in parts.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (channel.path / f"{part}_label_map.json").write_text(text)


def refusal(channel: Channel) -> list[str]:
    with pytest.raises(UnsoundData) as caught:
        read_label_maps(channel, 3)
    return str(caught.value).splitlines()


def test_no_channel() -> None:
    assert read_label_maps(None, 3) == DEFAULT_MAPS == LabelMaps(DEFAULT, DEFAULT, DEFAULT)
    assert DEFAULT_MAPS.train.given is None


def test_both_files(channel: Channel) -> None:
    write(channel, train={"scale": "3"}, validation={"map": {"0": 9}})
    maps = read_label_maps(channel, 3)
    assert (maps.train.given, maps.validation.given) == ({"scale": "3"}, {"map": {"0": 9}})
    assert maps.train.labels[6] == 2
    assert maps.validation.labels[9] == 0


@pytest.mark.parametrize("part", ["train", "validation"])
def test_one_file_leaves_the_other_part_as_it_is(channel: Channel, part: str) -> None:
    write(channel, **{part: {"scale": 2}})
    maps = read_label_maps(channel, 3)
    other = {"train": "validation", "validation": "train"}[part]
    assert maps.of(part).labels[4] == 2
    assert maps.of(other) is DEFAULT


def test_the_test_part_is_read_as_validation_unless_it_has_a_file(channel: Channel) -> None:
    write(channel, validation={"scale": 2})
    assert read_label_maps(channel, 3).test.given == {"scale": 2}
    write(channel, test={"scale": 4})
    assert read_label_maps(channel, 3).test.given == {"scale": 4}


def test_what_is_wrong_with_both_files_is_told_at_once(channel: Channel) -> None:
    write(channel, train="{'scale': 1}", validation={"map": {"5": 0, "1": 0}, "scale": 1})
    summary, *lines = refusal(channel)
    assert summary == "4 problems in the data: 4 mistakes in label maps."
    assert lines[0].startswith("label_map/train_label_map.json: is not valid JSON: ")
    assert "line 1, column 2" in lines[0]
    for words, line in zip(
        ("scale and map cannot", "'5' is no label", "the pixel value 0 is given"),
        lines[1:],
        strict=True,
    ):
        assert line.startswith("label_map/validation_label_map.json: ")
        assert words in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not valid JSON: it is empty"),
        ("[1]", "must hold a JSON object"),
        ('{"map": {"1": 3, "1": 4}}', "names '1' more than once"),
        ("\xff\xfe", "is not valid JSON"),
    ],
)
def test_files_that_hold_no_object(channel: Channel, text: str, words: str) -> None:
    write(channel, train=text)
    assert words in refusal(channel)[1]


def test_a_folder_in_place_of_a_file(channel: Channel) -> None:
    (channel.path / "train_label_map.json").mkdir()
    assert "cannot be read" in refusal(channel)[1]


def test_a_channel_without_any_map(channel: Channel, caplog: pytest.LogCaptureFixture) -> None:
    (channel.path / "label_map.json").write_text("{}")
    assert refusal(channel) == [
        "1 problem in the data: 1 mistake in a label map.",
        "label_map: holds neither train_label_map.json nor validation_label_map.json:"
        " add one of them, or leave the channel out.",
    ]
    assert "label_map.json is not read: it is none of train_label_map.json, " in caplog.text
