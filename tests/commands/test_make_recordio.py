"""`semseg make-recordio` as a person calls it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from semseg.cli import main
from semseg.data import record_writing
from semseg.sagemaker.recordio import read_records
from tests.data.records import image, mask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pairs to train on and one to validate with."""
    folder = tmp_path / "data"
    for part, name in (("train", "b"), ("train", "a/c"), ("validation", "d")):
        for path, data in (
            (folder / part / f"{name}.jpg", image(len(name))),
            (folder / f"{part}_annotation" / f"{name}.png", mask(0, len(name))),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder


def payloads(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return [record.payload for record in read_records(file)]


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["make-recordio", *map(str, arguments)])
    assert ended.value.code == 2
    output = capsys.readouterr()
    return output.out + output.err


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_image_and_mask_by_turns_in_the_order_of_their_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["make-recordio", str(folder)])
    train, masks = folder / "train", folder / "train_annotation"
    assert files_in(folder) == ["train.rec", "validation.rec"]
    assert payloads(folder / "train.rec") == [
        (train / "a/c.jpg").read_bytes(),
        (masks / "a/c.png").read_bytes(),
        (train / "b.jpg").read_bytes(),
        (masks / "b.png").read_bytes(),
    ]
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["part", "pairs", "records", "bytes", "file"]
    size = f"{(folder / 'train.rec').stat().st_size:,}"
    assert first.split() == ["train", "2", "4", size, str(folder / "train.rec")]
    assert second.split()[:3] == ["validation", "1", "2"]


def test_mxnet_reads_them_too(folder: Path) -> None:
    import mxnet as mx

    main(["make-recordio", str(folder)])
    reader = mx.recordio.MXRecordIO(str(folder / "train.rec"), "r")
    assert [reader.read() for _ in range(4)] == payloads(folder / "train.rec")
    assert reader.read() is None
    reader.close()


def test_check_says_the_same_of_the_records_as_of_the_files(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", str(folder), "--num-classes", "5"])
    expected = capsys.readouterr().out
    for part in ("train", "validation"):
        main(["make-recordio", str(folder), "--part", part, "--output", str(tmp_path / part)])
    capsys.readouterr()
    main(["check", str(tmp_path), "--num-classes", "5"])
    assert capsys.readouterr().out == expected


def test_one_part_of_several(folder: Path) -> None:
    (folder / "validation_annotation" / "d.png").unlink()
    main(["make-recordio", str(folder), "--part", "train"])
    assert files_in(folder) == ["train.rec"]


def test_a_part_that_is_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = refusal(capsys, folder, "--part", "test")
    assert f"test: there is no {folder / 'test'}." in text
    assert "train" not in text
    assert files_in(folder) == []


def test_no_channels_and_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "There is no train, validation or test in" in refusal(capsys, tmp_path)
    assert "There is no folder" in refusal(capsys, tmp_path / "nowhere")


def test_files_that_are_there_stay_unless_told_otherwise(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "train.rec").write_bytes(b"what was there")
    text = refusal(capsys, folder)
    assert f"{folder / 'train.rec'} would be replaced: say --replace" in text
    assert files_in(folder) == ["train.rec"]
    assert (folder / "train.rec").read_bytes() == b"what was there"

    main(["make-recordio", str(folder), "--replace"])
    assert len(payloads(folder / "train.rec")) == 4


def test_nothing_is_written_of_what_is_not_sound(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "train" / "b.jpg").write_bytes(b"no image")
    (folder / "validation_annotation" / "d.png").unlink()
    (folder / "validation_annotation" / "e.png").write_bytes(mask(0))
    text = refusal(capsys, folder)
    assert "3 problems in the data: 1 unreadable file, 1 image without a mask" in text
    assert "train/b.jpg: " in text
    assert files_in(folder) == []


def test_any_label_will_do(folder: Path) -> None:
    (folder / "train_annotation" / "b.png").write_bytes(mask(0, 253, 255))
    main(["make-recordio", str(folder)])


def test_records_are_not_made_of_records(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["make-recordio", str(folder), "--output", str(folder.parent / "new" / "train")])
    (folder.parent / "new" / "train" / "validation.rec").unlink()
    capsys.readouterr()
    text = refusal(capsys, folder.parent / "new")
    assert "train in" in text
    assert "these are records already" in text


def test_a_wrong_label_map_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "label_map").mkdir()
    (folder / "label_map" / "train_label_map.json").write_text("{}")
    for options in ([], ["--part", "train"]):
        assert "it has neither scale nor map" in refusal(capsys, folder, *options)


def test_a_file_that_no_record_has_room_for(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_writing, "LARGEST_PAYLOAD", 100)
    assert "bytes; a record has room for 100." in refusal(capsys, folder)
    assert files_in(folder) == []


def test_what_cannot_be_written_to_is_told_before_the_data_are_read(
    folder: Path, capsys: pytest.CaptureFixture[str], make_read_only: Callable[[Path], None]
) -> None:
    (folder / "train" / "b.jpg").write_bytes(b"no image")
    make_read_only(folder)
    text = refusal(capsys, folder)
    assert f"Nothing can be written to {folder}: Read-only file system" in text
    assert "name another --output" in text
    assert "b.jpg" not in text


def test_a_file_in_the_output_s_place(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "train" / "b.jpg").write_bytes(b"no image")
    (tmp_path / "file").write_text("precious")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        text = refusal(capsys, folder, "--output", output)
        assert f"{tmp_path / 'file'} is not a folder" in text
        assert "b.jpg" not in text
    assert (tmp_path / "file").read_text() == "precious"


def test_an_output_folder_is_not_made_for_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "train" / "b.jpg").write_bytes(b"no image")
    refusal(capsys, folder, "--output", tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()
