import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.sagemaker import recordio
from semseg.sagemaker.recordio import frame


def read(stream: io.BytesIO) -> bytes:
    """One record as dmlc's documentation describes it."""
    magic, word = struct.unpack("<II", stream.read(8))
    assert (magic, word >> 29) == (0xCED7230A, 0)
    payload = stream.read(word & (2**29 - 1))
    assert stream.read(-len(payload) % 4) == bytes(-len(payload) % 4)
    return payload


def test_the_bytes_of_a_small_record() -> None:
    assert frame(b"abcde") == b"\x0a\x23\xd7\xce" + b"\x05\0\0\0" + b"abcde" + b"\0\0\0"


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_what_is_framed_is_read_back(parts: list[bytes]) -> None:
    record = frame(*parts)
    assert len(record) % 4 == 0
    stream = io.BytesIO(record)
    assert read(stream) == b"".join(parts)
    assert stream.read() == b""


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_records_follow_each_other(payloads: list[bytes]) -> None:
    stream = io.BytesIO(b"".join(map(frame, payloads)))
    assert [read(stream) for _ in payloads] == payloads


def test_the_length_of_a_part_is_counted_in_bytes() -> None:
    numbers: Any = memoryview(struct.pack("<3f", 1, 2, 3)).cast("f")
    assert frame(b"x", numbers) == frame(b"x" + numbers.tobytes())


def test_what_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert recordio.LARGEST_PAYLOAD == 2**29 - 1
    monkeypatch.setattr(recordio, "LARGEST_PAYLOAD", 7)
    assert frame(b"1234567")
    with pytest.raises(ValueError, match="8 bytes does not fit into RecordIO's 7"):
        frame(b"1234", b"5678")
