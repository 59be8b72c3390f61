"""Pairs of files to a RecordIO file: image and mask by turns, as SageMaker streams them."""

from collections.abc import Sequence
from pathlib import Path

from semseg.data.pairs import Pair
from semseg.data.problems import printable
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.files import write_atomically
from semseg.sagemaker.recordio import LARGEST_PAYLOAD, split_frame


def write_records(path: Path, pairs: Sequence[Pair]) -> None:
    """Replaces `path` by the records of all pairs in their order, byte for byte what the files are.

    Raises CustomerError for a file of half a gigabyte or more, and OSError; `path` is then as it
    was.
    """

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            for pair in pairs:
                for source in (pair.image, pair.mask):
                    data = source.read_bytes()
                    if len(data) > LARGEST_PAYLOAD:
                        raise CustomerError(
                            f"{printable(source)} has {len(data)} bytes; a record has room for"
                            f" {LARGEST_PAYLOAD}."
                        )
                    file.write(split_frame(data))

    write_atomically(path, write)
