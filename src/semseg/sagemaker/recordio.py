"""RecordIO framing as dmlc defines it and SageMaker's clients read it.

A record is the magic number, a word whose low 29 bits are the payload's length, the payload, and
zeros up to a multiple of four; all little-endian. The upper three bits of the word are a flag.

0 marks a whole record. dmlc's writer splits a payload wherever the magic number stands in it, at a
multiple of four bytes: the first piece has the flag 1, the last 3, those between 2, and each place
where one piece ends stands for the magic number itself. Readers of such files can find the next
record from anywhere. SageMaker's Python SDK neither writes nor understands pieces.
"""

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

MAGIC = 0xCED7230A
LARGEST_PAYLOAD = 2**29 - 1

_MAGIC_BYTES = struct.pack("<I", MAGIC)
_HEADER = struct.Struct("<II")
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
_AT_ONCE = 1 << 20

# What lies in several places in memory, one after the other.
Parts = list[bytes | memoryview]


class Readable(Protocol):
    """A stream of bytes; `read` gives fewer than asked for only at its end."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""


class BrokenRecord(ValueError):
    """A stream is not RecordIO from this record on; the text is a clause that says why."""

    def __init__(self, number: int, offset: int, text: str) -> None:
        super().__init__(text)
        self.number = number
        self.offset = offset


@dataclass(frozen=True)
class Record:
    """A payload, the number of its record, from 0, and the byte at which that record starts."""

    number: int
    offset: int
    payload: bytes


def frame(*parts: bytes | memoryview) -> bytes:
    """One whole record around a payload that is given in one or several parts, copied once.

    Raises ValueError where the payload is longer than 2^29 - 1 bytes.
    """
    return b"".join(frame_in_parts(*parts))


def frame_in_parts(*parts: bytes | memoryview) -> Parts:
    """The same, with the payload where it is.

    Raises ValueError where the payload is longer than 2^29 - 1 bytes.
    """
    length = sum(memoryview(part).nbytes for part in parts)
    if length > LARGEST_PAYLOAD:
        raise ValueError(
            f"a record of {length} bytes does not fit into RecordIO's {LARGEST_PAYLOAD}"
        )
    return [_HEADER.pack(MAGIC, length), *parts, bytes(-length % 4)]


def split_frame(payload: bytes) -> bytes:
    """One record as dmlc's writer makes it, in pieces where the payload holds the magic number.

    Raises ValueError where the payload is longer than 2^29 - 1 bytes.
    """
    record = frame(payload)
    cuts = [*_aligned_magic(payload)]
    if not cuts:
        return record
    starts = [0, *(cut + len(_MAGIC_BYTES) for cut in cuts)]
    ends = [*cuts, len(payload)]
    flags = [_FIRST, *[_MIDDLE] * (len(cuts) - 1), _LAST]
    pieces = []
    for flag, start, end in zip(flags, starts, ends, strict=True):
        word = flag << 29 | (end - start)
        pieces += [_HEADER.pack(MAGIC, word), payload[start:end], bytes(-(end - start) % 4)]
    return b"".join(pieces)


def read_records(stream: Readable, first: int = 0, offset: int = 0) -> Iterator[Record]:
    """The records of a stream to its end, which must be that of a record.

    `first` and `offset` are the number and the place of the first one. Nothing is skipped to find a
    next good record: it would be somebody else's mask. Of a record's bytes no more are held than
    have arrived.

    Raises BrokenRecord with the first record that is not as it must be.
    """
    for number in itertools.count(first):
        header = stream.read(_HEADER.size)
        if not header:
            return
        try:
            payload, length = _payload(stream, header)
        except ValueError as error:
            raise BrokenRecord(number, offset, str(error)) from None
        yield Record(number, offset, payload)
        offset += length


def _payload(stream: Readable, header: bytes) -> tuple[bytes, int]:
    """The payload that follows a header, and the bytes that its record takes altogether."""
    flag, piece, length = _piece(stream, header)
    if flag == _WHOLE:
        return piece, length
    if flag != _FIRST:
        raise ValueError(f"it starts with a piece of the kind {flag}, where 0 or 1 is possible")
    pieces = [piece]
    while flag != _LAST:
        flag, piece, more = _piece(stream, stream.read(_HEADER.size))
        if flag not in (_MIDDLE, _LAST):
            raise ValueError(f"a piece of the kind {flag} follows its piece {len(pieces)}")
        pieces.append(piece)
        length += more
    return _MAGIC_BYTES.join(pieces), length


def _piece(stream: Readable, header: bytes) -> tuple[int, bytes, int]:
    """The flag and the payload of what `header` begins, and the bytes it takes altogether."""
    if len(header) < _HEADER.size and _MAGIC_BYTES.startswith(header[:4]):
        raise ValueError(f"it is truncated: the stream ends {_after(len(header))} of its header")
    if header[:4] != _MAGIC_BYTES:
        raise ValueError(
            f"it does not start with RecordIO's magic number 0a 23 d7 ce, but with "
            f"{header[:4].hex(' ')}{_what_starts_so(header)}"
        )
    _, word = _HEADER.unpack(header)
    flag, length = word >> 29, word & LARGEST_PAYLOAD
    padded = length + -length % 4
    data = _read(stream, padded)
    if len(data) < padded:
        raise ValueError(
            f"it is truncated: the stream ends {_after(min(len(data), length))} of its {length}"
        )
    return flag, data[:length], _HEADER.size + padded


def _read(stream: Readable, size: int) -> bytes:
    """Up to `size` bytes, in steps: a damaged length must not make room for half a gigabyte."""
    data = stream.read(min(size, _AT_ONCE))
    if len(data) == size:
        return data
    parts = [data]
    left = size - len(data)
    while data and left:
        data = stream.read(min(left, _AT_ONCE))
        parts.append(data)
        left -= len(data)
    return b"".join(parts)


def _aligned_magic(payload: bytes) -> Iterator[int]:
    """Where the magic number stands in a payload at a multiple of four."""
    found = payload.find(_MAGIC_BYTES)
    while found >= 0:
        if found % 4 == 0:
            yield found
        found = payload.find(_MAGIC_BYTES, found + 1)


def _after(count: int) -> str:
    return "after 1 byte" if count == 1 else f"after {count} bytes"


def _what_starts_so(header: bytes) -> str:
    known = {b"\xff\xd8\xff": "a JPEG", b"\x89PNG": "a PNG"}
    found = [name for start, name in known.items() if header.startswith(start)]
    return f", as {found[0]} file does" if found else ""
