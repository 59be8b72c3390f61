"""RecordIO framing as dmlc defines it and SageMaker's clients read it.

A record is the magic number, a word whose low 29 bits are the payload's length, the payload, and
zeros up to a multiple of four; all little-endian. The upper three bits mark the pieces of a record
that was split. Here a record is always whole: SageMaker's Python SDK ignores those bits.
"""

import struct

MAGIC = 0xCED7230A
LARGEST_PAYLOAD = 2**29 - 1


def frame(*parts: bytes | memoryview) -> bytes:
    """One whole record around a payload that is given in one or several parts, copied once.

    Raises ValueError where the payload is longer than 2^29 - 1 bytes.
    """
    length = sum(memoryview(part).nbytes for part in parts)
    if length > LARGEST_PAYLOAD:
        raise ValueError(
            f"a record of {length} bytes does not fit into RecordIO's {LARGEST_PAYLOAD}"
        )
    header = struct.pack("<II", MAGIC, length)
    return b"".join((header, *parts, bytes(-length % 4)))
