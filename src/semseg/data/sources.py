"""Where the bytes of an image or a mask lie: in a file, or in a record."""

from dataclasses import dataclass
from pathlib import Path

from semseg.data.images import ImageError
from semseg.sagemaker.recordio import BrokenRecord, Record, read_records


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A record of a RecordIO file, which is read when it is wanted."""

    path: Path
    number: int
    offset: int

    def read_bytes(self) -> bytes:
        """The payload. Raises `ImageError` where the file has changed, and OSError."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                for record in read_records(file, self.number, self.offset):
                    return record.payload
        except BrokenRecord as error:
            raise ImageError(f"The record is broken: {error}.") from error
        raise ImageError("The file has become shorter, and no longer has this record.")

    def __str__(self) -> str:
        return f"{self.path}, {place(self)}"


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A record that a stream brought: its bytes are here, and nowhere else any more.

    `stream` is the name of the FIFO, such as `train_0`.
    """

    stream: str
    record: Record

    @property
    def number(self) -> int:
        """The number of the record in its stream, from 0."""
        return self.record.number

    @property
    def offset(self) -> int:
        """The byte of the stream at which the record starts."""
        return self.record.offset

    def read_bytes(self) -> bytes:
        """The payload."""
        return self.record.payload

    def __str__(self) -> str:
        return f"{self.stream}, {place(self)}"


Source = Path | FileRecord | StreamRecord


def place(record: FileRecord | StreamRecord | BrokenRecord) -> str:
    """A record as messages name it; both counts begin with 0."""
    return f"record {record.number} at byte {record.offset}"
