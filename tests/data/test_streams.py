import threading
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semseg.data.label_maps import parse_label_map
from semseg.data.pairs import Pair
from semseg.data.problems import UnsoundData
from semseg.data.streams import Stream
from semseg.sagemaker.channels import Channel
from semseg.sagemaker.errors import PlatformError
from semseg.sagemaker.recordio import frame
from tests.data.pipe import Pipe
from tests.data.records import image, mask, offset, pairs, records

CLASSES = 3


def stream(folder: Path, seconds: float = 20, **label_map: object) -> Stream:
    channel = Channel("train", folder / "train", "application/x-recordio", "Pipe", True)
    return Stream(channel, CLASSES, parse_label_map(label_map or {"scale": 1}, CLASSES), seconds)


def read(source: Stream, fifo: int = 0) -> list[Pair]:
    with source.pairs(fifo) as found:
        return list(found)


def refusal(folder: Path, payloads: Iterable[bytes] | bytes, epochs_before: int = 0) -> list[str]:
    """The lines about a stream whose records are decoded one by one, after some that are sound."""
    content = payloads if isinstance(payloads, bytes) else records(payloads)
    Pipe(folder / "train", [records(pairs(1))] * epochs_before + [content])
    source = stream(folder)
    for fifo in range(epochs_before):
        read(source, fifo)
    with pytest.raises(UnsoundData) as caught, source.pairs(epochs_before) as found:
        deque(source.decode(pair, epochs_before) for pair in found)
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def before(what: str) -> str:
    return f"A stream cannot be checked before it is used. Before this came {what}."


def test_pairs_epoch_by_epoch(tmp_path: Path) -> None:
    payloads = pairs(3)
    pipe = Pipe(tmp_path / "train", [records(payloads), records(payloads[:2])], delay=0.1)
    source = stream(tmp_path)
    first, second = read(source, 0), read(source, 1)
    assert [pair.name for pair in first] == ["train_0/0", "train_0/2", "train_0/4"]
    assert [pair.name for pair in second] == ["train_1/0"]
    assert [pair.image.read_bytes() for pair in first] == payloads[::2]
    assert str(first[1].mask) == f"train_0, record 3 at byte {offset(payloads, 3)}"
    assert pipe.is_done()


def test_a_pair_is_decoded_as_files_are(tmp_path: Path) -> None:
    Pipe(tmp_path / "train", [records([image(kind="PNG"), mask(0, 4, 255)])])
    source = stream(tmp_path, scale=2)
    [pair] = read(source)
    picture, labels = source.decode(pair, 0)
    assert (picture.mode, picture.size) == ("RGB", (24, 16))
    assert np.unique(np.asarray(labels)).tolist() == [0, 2, 255]


def test_a_wrong_magic_number(tmp_path: Path) -> None:
    start = records(pairs(2))
    assert refusal(tmp_path, start + b"no magic", epochs_before=2) == [
        "1 problem in the data: 1 broken record.",
        before("2 whole epochs and 4 records of the next"),
        f"train_2, record 4 at byte {len(start)}: it does not start with RecordIO's magic number"
        " 0a 23 d7 ce, but with 6e 6f 20 6d.",
    ]


def test_files_that_are_not_wrapped(tmp_path: Path) -> None:
    assert refusal(tmp_path, image())[1:] == [
        before("nothing"),
        "train_0, record 0 at byte 0: it does not start with RecordIO's magic number 0a 23 d7 ce,"
        " but with ff d8 ff e0, as a JPEG file does. Files that are no RecordIO themselves need"
        " RecordWrapperType RecordIO.",
    ]


def test_a_truncated_record(tmp_path: Path) -> None:
    start = records(pairs(1))
    [_, came, line] = refusal(tmp_path, start + frame(image())[:100], epochs_before=1)
    assert came == before("1 whole epoch and 2 records of the next")
    assert line == (
        f"train_1, record 2 at byte {len(start)}: it is truncated: the stream ends after 92 bytes"
        f" of its {len(image())}."
    )


def test_an_odd_number_of_records(tmp_path: Path) -> None:
    payloads = [*pairs(1), image()]
    assert refusal(tmp_path, payloads) == [
        "1 problem in the data: 1 record without a partner.",
        before("2 records"),
        f"train_0, record 2 at byte {offset(payloads, 2)}: is the last of 3 records, an odd number:"
        " image and mask take turns, and it has no partner.",
    ]


def test_an_empty_stream(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"", epochs_before=1) == [
        "1 problem in the data: 1 empty channel.",
        before("1 whole epoch"),
        "train_1: brought no record: are there lines in the manifest, and does AttributeNames name"
        " what stands in them?",
    ]


BROKEN_PAIRS = {
    "a mask where an image should be": (mask(0), image(), 2, "is a mask where an image should be"),
    "two masks": (mask(1), mask(0, 1), 2, "is a mask where an image should be"),
    "an image where a mask should be": (image(), image(), 3, "The file is a JPEG; a mask must be"),
    "an image that cannot be decoded": (b"no image", mask(0), 2, "The file is not a JPEG, PNG"),
    "a truncated image": (image()[:300], mask(0), 2, "The file is truncated: its end is missing."),
    "a truncated mask": (image(), mask(0)[:-20], 3, "The file is truncated: its end is missing."),
    "an empty record": (image(), b"", 3, "The file is empty."),
    "sizes that differ": (image(), mask(0, size=(9, 8)), 3, "the mask has 9 x 8 pixels, its image"),
    "a label out of range": (image(), mask(0, 3), 3, "label 3 (12 pixels): with num_classes=3,"),
}


@pytest.mark.parametrize(
    ("first", "second", "number", "words"), BROKEN_PAIRS.values(), ids=BROKEN_PAIRS.keys()
)
def test_pairs_that_are_not_sound(
    tmp_path: Path, first: bytes, second: bytes, number: int, words: str
) -> None:
    payloads = [*pairs(1), first, second]
    [summary, came, line] = refusal(tmp_path, payloads)
    assert summary.startswith("1 problem in the data: 1 ")
    assert came == before(f"{number} records")
    assert line.startswith(f"train_0, record {number} at byte {offset(payloads, number)}: {words}")


def test_a_pair_with_two_problems(tmp_path: Path) -> None:
    summary, *_ = refusal(tmp_path, [image()[:300], mask(9)])
    assert summary == (
        "2 problems in the data: 1 unreadable file, 1 mask with labels >= num_classes."
    )


def test_a_line_of_the_manifest_without_a_mask(tmp_path: Path) -> None:
    payloads = [*pairs(1), image(1), image(2), mask(0), image(3)]
    lines = refusal(tmp_path, payloads)
    assert lines[2].startswith(
        f"train_0, record 3 at byte {offset(payloads, 3)}: The file is a JPEG; a mask must be"
    )
    assert lines[2].endswith(
        " If it is an image, its place is a mask's: leave out the lines of the manifest that have"
        " no mask, and let AttributeNames name the image first and the mask second."
    )


def test_a_value_that_the_label_map_does_not_name(tmp_path: Path) -> None:
    Pipe(tmp_path / "train", [records([image(), mask(7)])])
    source = stream(tmp_path, map={"0": 0, "1": 5})
    [pair] = read(source)
    with pytest.raises(UnsoundData, match=r"record 1 at byte \d+: .* gives no label to .* 7"):
        source.decode(pair, 0)


def test_a_fifo_nobody_opens_is_the_platforms_fault(tmp_path: Path) -> None:
    Pipe(tmp_path / "train", [records(pairs(2))])
    source = stream(tmp_path, seconds=0.3)
    read(source)
    with pytest.raises(PlatformError) as caught:
        read(source, 1)
    assert caught.value.exit_code == 3
    assert str(caught.value) == (
        f"SageMaker's pipe of the channel train timed out: {tmp_path}/train_1 has not appeared for"
        " 0.3 seconds. Before that came 1 whole epoch."
    )


def test_a_writer_that_falls_silent_is_the_platforms_fault(tmp_path: Path) -> None:
    def silent():
        yield records(pairs(2))
        time.sleep(2)

    Pipe(tmp_path / "train", [silent()])
    with pytest.raises(PlatformError, match=r"for 0\.3 seconds after .* Before that came 4 rec"):
        read(stream(tmp_path, seconds=0.3))


def test_a_context_that_is_left_closes_the_fifo_and_ends_the_thread(tmp_path: Path) -> None:
    pipe = Pipe(tmp_path / "train", [records(pairs(2)) * 10_000])
    with stream(tmp_path).pairs(0) as found:
        next(found)
    assert not [t for t in threading.enumerate() if t.name.startswith("semseg")]
    assert pipe.is_done()
    assert pipe.closed_early == 1


def test_an_image_too_large_for_the_memory_is_the_platforms_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise MemoryError

    Pipe(tmp_path / "train", [records(pairs(1))])
    source = stream(tmp_path)
    [pair] = read(source)
    monkeypatch.setattr(Image.Image, "load", no_room)
    with pytest.raises(PlatformError, match=r"^train_0, record 0 at byte 0: .* too large"):
        source.decode(pair, 0)
