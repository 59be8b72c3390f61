from pathlib import Path

import numpy as np
import pytest

from semseg.data.checks import check_datasets
from semseg.data.decoding import decode_pair
from semseg.data.loading import EvaluationBatches, TrainingBatches
from semseg.data.pairs import Pair
from semseg.data.problems import Kind
from semseg.data.record_files import pair_up_records
from semseg.data.scan import parts_of, scan
from semseg.data.sources import FileRecord
from semseg.sagemaker.channels import Channel, Channels
from semseg.sagemaker.errors import CustomerError
from tests.data.records import image, mask, offset, pairs, records, write_records


@pytest.fixture
def train(tmp_path: Path) -> Channel:
    (tmp_path / "train").mkdir()
    return Channel("train", tmp_path / "train", None, "File", holds_records=True)


@pytest.fixture
def channels(train: Channel, tmp_path: Path) -> Channels:
    """A channel of records that is still empty, next to a sound one."""
    write_records(tmp_path / "validation" / "v.rec", pairs(2))
    validation = Channel("validation", tmp_path / "validation", None, "File", holds_records=True)
    return Channels(train, validation)


def refusal(channels: Channels, num_classes: int = 3) -> list[str]:
    with pytest.raises(CustomerError) as caught:
        check_datasets(channels, num_classes, mini_batch_size=1, num_training_samples=1)
    return str(caught.value).splitlines()


def test_pairs_of_several_files_in_order(train: Channel) -> None:
    write_records(train.path / "b.rec", pairs(1))
    write_records(train.path / "a" / "c.rec", pairs(2))
    found = pair_up_records(train)
    assert found.problems == ()
    assert [pair.name for pair in found.pairs] == ["c/0", "c/2", "b/0"]
    assert found.pairs[1].mask == FileRecord(train.path / "a" / "c.rec", 3, offset(pairs(2), 3))
    _, labels = decode_pair(found.pairs[1])
    assert np.asarray(labels).max() == 1


def test_files_of_any_name_where_none_is_named_rec(train: Channel) -> None:
    write_records(train.path / "part-0000", pairs(1))
    assert len(pair_up_records(train).pairs) == 1


def test_what_lies_beside_rec_files_is_passed_over(train: Channel) -> None:
    write_records(train.path / "a.rec", pairs(1))
    (train.path / "a.idx").write_text("0\t0\n")
    found = pair_up_records(train)
    assert len(found.pairs) == 1
    assert found.problems == ()


@pytest.mark.parametrize("names", [[], ["a.rec"]])
def test_no_records_at_all(train: Channel, names: list[str]) -> None:
    for name in names:
        (train.path / name).touch()
    [problem] = pair_up_records(train).problems
    assert problem.kind is Kind.EMPTY_CHANNEL
    assert str(problem) == "train: holds no records: neither in a .rec file nor in any other."


def test_a_sound_dataset_of_records_gives_the_batches_of_files(
    channels: Channels, tmp_path: Path
) -> None:
    payloads = pairs(5)
    write_records(channels.train.path / "a.rec", payloads)
    in_files = []
    for number in range(5):
        paths = tmp_path / f"{number}.jpg", tmp_path / f"{number}.png"
        for path, payload in zip(paths, payloads[2 * number :], strict=False):
            path.write_bytes(payload)
        in_files.append(Pair(str(number), *paths))
    dataset = check_datasets(channels, 5, mini_batch_size=2, num_training_samples=5)
    here, there = (
        TrainingBatches(part, 2, 40, 16, workers=2, seed=7) for part in (dataset.train, in_files)
    )
    for one, other in zip(here.epoch(0), there.epoch(0), strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.masks, other.masks)
    validation = [*EvaluationBatches(dataset.validation, 1, 16, 1)]
    assert [batch.masks.max() for batch in validation] == [0, 1]


def test_all_that_is_wrong_is_told_with_records_and_bytes(channels: Channels) -> None:
    broken = [
        *(image(0), mask(0, 1)),
        *(image(1), mask(0, size=(3, 3))),
        *(image(2), mask(0, 9)),
        *(image(3)[:200], mask(0)),
        *(image(4), image(4)),
        *(mask(1), image(5)),
        *(image(6), b""),
    ]
    write_records(channels.train.path / "a.rec", [*broken, image(7)])
    summary, _, *lines = refusal(channels)
    at = {n: f"train/a.rec, record {n} at byte {offset(broken, n)}: " for n in range(15)}
    assert summary == (
        "7 problems in the data: 2 unreadable files, 1 record without a partner,"
        " 1 mask where an image should be, 1 mask that is no single-channel PNG,"
        " 1 mask of another size, 1 mask with labels >= num_classes."
    )
    assert [line.partition(": ")[0] + ": " for line in lines] == [
        at[n] for n in (3, 5, 6, 9, 10, 13, 14)
    ]
    assert (
        lines[0] == f"{at[3]}the mask has 3 x 3 pixels, its image 24 x 16: make them the same size."
    )
    assert lines[1].startswith(f"{at[5]}label 9 (12 pixels): with num_classes=3")
    assert lines[2] == (
        f"{at[6]}The file is truncated: its end is missing."
        " Replace the record, or leave it out together with its mask."
    )
    assert lines[3].startswith(f"{at[9]}The file is a JPEG; a mask must be an 8-bit PNG")
    assert lines[3].endswith(
        " If it is an image, its place is a mask's: leave out the lines of the manifest that have"
        " no mask, and let AttributeNames name the image first and the mask second."
    )
    assert lines[4].startswith(f"{at[10]}is a mask where an image should be: ")
    assert lines[5].startswith(f"{at[13]}The file is empty.")
    assert lines[6] == (
        f"{at[14]}is the last of 15 records, an odd number: image and mask take turns, and it has"
        " no partner."
    )


def test_a_lone_image_is_read_as_well(channels: Channels) -> None:
    write_records(channels.train.path / "a.rec", [*pairs(1), b"no image"])
    kinds = {problem.kind for problem in scan(parts_of(channels), num_classes=3).problems}
    assert kinds == {Kind.ODD_RECORDS, Kind.UNREADABLE}


def test_a_broken_frame_ends_its_file_but_not_the_check(channels: Channels) -> None:
    start = records(pairs(2))
    (channels.train.path / "a.rec").write_bytes(start + b"\xff\xd8\xff\xe0 is no frame")
    write_records(channels.train.path / "b.rec", [image(), mask(9)])
    _, _, *lines = refusal(channels)
    assert lines[0] == (
        f"train/a.rec, record 4 at byte {len(start)}: it does not start with RecordIO's magic"
        " number 0a 23 d7 ce, but with ff d8 ff e0, as a JPEG file does; nor can the rest of the"
        " file be read: write it anew."
    )
    assert lines[1].startswith("train/b.rec, record 1 at byte ")


def test_files_that_cannot_be_had_are_told_with_all_the_rest(channels: Channels) -> None:
    (channels.train.path / "a.rec").symlink_to("nowhere")
    (channels.train.path / "b.rec").write_bytes(records(pairs(2))[:-20])
    _, *lines = refusal(channels)
    assert lines[0] == "train/a.rec: There is no such file, or it is a link to nothing."
    assert lines[1].startswith("train/b.rec, record 3 at byte ")
    assert len(lines) == 2


def test_a_truncated_file(channels: Channels) -> None:
    data = records(pairs(2))
    (channels.train.path / "a.rec").write_bytes(data[:-20])
    lines = refusal(channels)
    assert f"train/a.rec, record 3 at byte {offset(pairs(2), 3)}: it is truncated: " in lines[1]
    assert len(lines) == 2


def test_ten_comes_after_nine(channels: Channels) -> None:
    payloads = [payload for n in range(8) for payload in (image(n), mask(9))]
    write_records(channels.train.path / "a.rec", payloads)
    numbers = [int(line.split(" ")[2]) for line in refusal(channels)[2:]]
    assert numbers == [1, 3, 5, 7, 9, 11, 13, 15]


def test_a_record_that_goes_bad_is_named(channels: Channels) -> None:
    path = write_records(channels.train.path / "a.rec", pairs(2))
    dataset = check_datasets(channels, 3, mini_batch_size=1, num_training_samples=2)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CustomerError, match=r"a\.rec, record 3 at byte \d+ was sound when it"):
        list(TrainingBatches(dataset.train, 1, 40, 16, 1, 7).epoch(0))
