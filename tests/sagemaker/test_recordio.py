import contextlib
import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.sagemaker import recordio
from semseg.sagemaker.recordio import BrokenRecord, Record, frame, read_records, split_frame

MAGIC = b"\x0a\x23\xd7\xce"
# Any bytes, and such as hold the magic number, aligned or not.
PAYLOADS = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([MAGIC, MAGIC[:2], b"abcd", b"x", b""]), max_size=9).map(b"".join),
)


class Trickle:
    """A stream that counts what it is asked for at once."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)
        self.most = 0

    def read(self, size: int, /) -> bytes:
        self.most = max(self.most, size)
        return self._stream.read(size)


def payloads_of(data: bytes) -> list[bytes]:
    return [record.payload for record in read_records(io.BytesIO(data))]


def broken(data: bytes) -> tuple[int, int, str]:
    """Number, offset and text of the first broken record."""
    with pytest.raises(BrokenRecord) as raised:
        list(read_records(io.BytesIO(data)))
    return raised.value.number, raised.value.offset, str(raised.value)


def piece(flag: int, payload: bytes) -> bytes:
    """One piece of a split record."""
    word = flag << 29 | len(payload)
    return MAGIC + struct.pack("<I", word) + payload + bytes(-len(payload) % 4)


def test_the_bytes_of_a_small_record() -> None:
    assert frame(b"abcde") == b"\x0a\x23\xd7\xce" + b"\x05\0\0\0" + b"abcde" + b"\0\0\0"


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_what_is_framed_is_read_back(parts: list[bytes]) -> None:
    record = frame(*parts)
    assert len(record) % 4 == 0
    assert payloads_of(record) == [b"".join(parts)]


@given(st.lists(PAYLOADS, max_size=5))
@pytest.mark.parametrize("write", [frame, split_frame])
def test_records_follow_each_other(write: Any, payloads: list[bytes]) -> None:
    records = [*map(write, payloads)]
    offsets = [sum(map(len, records[:number])) for number in range(len(records))]
    assert list(read_records(io.BytesIO(b"".join(records)))) == [
        Record(number, offset, payload)
        for number, (offset, payload) in enumerate(zip(offsets, payloads, strict=True))
    ]


def test_numbers_and_offsets_may_start_in_the_middle() -> None:
    [found] = read_records(io.BytesIO(frame(b"a")), first=7, offset=80)
    assert found == Record(7, 80, b"a")


def test_the_length_of_a_part_is_counted_in_bytes() -> None:
    numbers: Any = memoryview(struct.pack("<3f", 1, 2, 3)).cast("f")
    assert frame(b"x", numbers) == frame(b"x" + numbers.tobytes())


def test_what_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert recordio.LARGEST_PAYLOAD == 2**29 - 1
    monkeypatch.setattr(recordio, "LARGEST_PAYLOAD", 7)
    assert frame(b"1234567")
    with pytest.raises(ValueError, match="8 bytes does not fit into RecordIO's 7"):
        frame(b"1234", b"5678")


def test_a_payload_is_split_where_it_holds_the_magic_number() -> None:
    payload = b"abcd" + MAGIC + b"e" + MAGIC + b"fgh" + MAGIC + MAGIC + b"i"
    assert split_frame(payload) == b"".join(
        [piece(1, b"abcd"), piece(2, b"e" + MAGIC + b"fgh"), piece(2, b""), piece(3, b"i")]
    )


@given(st.lists(st.binary(max_size=20), min_size=2, max_size=6))
def test_pieces_of_any_length_are_joined_by_the_magic_number(parts: list[bytes]) -> None:
    first, *middle, last = parts
    data = piece(1, first) + b"".join(piece(2, part) for part in middle) + piece(3, last)
    assert payloads_of(data + frame(b"next")) == [MAGIC.join(parts), b"next"]


@given(payloads=st.lists(PAYLOADS, max_size=4), split=st.booleans())
def test_mxnet_reads_what_is_written_here(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], split: bool
) -> None:
    import mxnet as mx

    path = tmp_path_factory.mktemp("recordio") / "a.rec"
    path.write_bytes(b"".join(map(split_frame if split else frame, payloads)))
    reader = mx.recordio.MXRecordIO(str(path), "r")
    assert [reader.read() for _ in payloads] == payloads
    assert reader.read() is None
    reader.close()


@given(payloads=st.lists(PAYLOADS, max_size=4))
def test_what_mxnet_writes_is_read_and_written_here(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes]
) -> None:
    import mxnet as mx

    path = tmp_path_factory.mktemp("recordio") / "a.rec"
    writer = mx.recordio.MXRecordIO(str(path), "w")
    for payload in payloads:
        writer.write(payload)
    writer.close()
    data = path.read_bytes()
    assert payloads_of(data) == payloads
    assert b"".join(map(split_frame, payloads)) == data


def test_an_empty_stream_has_no_records() -> None:
    assert payloads_of(b"") == []


def test_a_wrong_magic_number() -> None:
    data = frame(b"abc") + frame(b"d") + b"\xff\xd8\xff\xe0 and so on"
    assert broken(data) == (
        2,
        24,
        "it does not start with RecordIO's magic number 0a 23 d7 ce, but with ff d8 ff e0, "
        "as a JPEG file does",
    )


@pytest.mark.parametrize(
    ("kept", "text"),
    [
        (3, "it is truncated: the stream ends after 3 bytes of its header"),
        (7, "it is truncated: the stream ends after 7 bytes of its header"),
        (8, "it is truncated: the stream ends after 0 bytes of its 5"),
        (9, "it is truncated: the stream ends after 1 byte of its 5"),
        (15, "it is truncated: the stream ends after 5 bytes of its 5"),
    ],
)
def test_a_truncated_record(kept: int, text: str) -> None:
    assert broken(frame(b"whole") + frame(b"abcde")[:kept]) == (1, 16, text)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (piece(2, b"a"), "it starts with a piece of the kind 2, where 0 or 1 is possible"),
        (piece(3, b"a"), "it starts with a piece of the kind 3, where 0 or 1 is possible"),
        (piece(5, b"a"), "it starts with a piece of the kind 5, where 0 or 1 is possible"),
        (piece(1, b"a") + frame(b"b"), "a piece of the kind 0 follows its piece 1"),
        (
            piece(1, b"") + piece(2, b"") + piece(1, b""),
            "a piece of the kind 1 follows its piece 2",
        ),
        (piece(1, b"a"), "it is truncated: the stream ends after 0 bytes of its header"),
    ],
)
def test_pieces_that_do_not_fit_together(data: bytes, text: str) -> None:
    assert broken(frame(b"") + data) == (1, 8, text)


@given(data=st.lists(PAYLOADS, min_size=1, max_size=3), kept=st.floats(0, 1, exclude_max=True))
def test_a_cut_stream_never_gives_half_a_record(data: list[bytes], kept: float) -> None:
    whole = b"".join(map(split_frame, data))
    read: list[bytes] = []
    records = read_records(io.BytesIO(whole[: int(len(whole) * kept)]))
    with contextlib.suppress(BrokenRecord):
        read += (record.payload for record in records)
    assert read == data[: len(read)]
    assert len(read) < len(data)


def test_a_damaged_length_makes_no_room_for_what_is_not_there() -> None:
    stream = Trickle(MAGIC + struct.pack("<I", 2**29 - 1) + b"short")
    with pytest.raises(BrokenRecord, match="after 5 bytes of its 536870911"):
        list(read_records(stream))
    assert stream.most <= 1 << 20


def test_long_records_are_read_in_steps() -> None:
    payload = bytes(range(256)) * 12_345
    stream = Trickle(frame(payload) + frame(b"next"))
    assert [record.payload for record in read_records(stream)] == [payload, b"next"]
    assert stream.most <= 1 << 20
