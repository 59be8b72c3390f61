"""From what the network said to an answer's body: one encoder for each media type offered."""

import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semseg.sagemaker.record import encode_record
from semseg.sagemaker.recordio import Parts

Kind = Literal["mask", "probabilities"]

# A RecordIO frame tells its length in 29 bits; the rest is room for the Record around the values.
_MOST_VALUES_IN_A_RECORD = (2**29 - 1024) // 4
_RECORD_IS_FULL = (
    "That is what a RecordIO record holds of probabilities, 512 MiB; ask for image/png or "
    "application/x-npy instead."
)

# Masks are flat areas, for which zlib looks for runs alone: as quick as its fastest level, and
# nearly as small as its slowest (scripts/benchmarks/serving_choices.py).
_FAST, _RUNS = 1, zlib.Z_RLE


@dataclass(frozen=True)
class Encoder:
    """One kind of answer.

    What is large in a body, probabilities, is not copied into it: a body is in parts, of which the
    first is bytes.

    Attributes:
        media_type: what a client asks for, and the answer's Content-Type.
        wants: what it is made from, a mask uint8 (H,W) or probabilities float32 (C,H,W).
        encode: makes the body.
        most_values: the longest array that it encodes, in values.
        way_out: what to do about a longer one, a sentence.
    """

    media_type: str
    wants: Kind
    encode: Callable[[NDArray[Any]], Parts]
    most_values: int = sys.maxsize
    way_out: str = ""


def encode_png(mask: NDArray[np.uint8]) -> Parts:
    """A mask, uint8 (H,W), as an 8-bit greyscale PNG: one class number a pixel."""
    body = BytesIO()
    Image.fromarray(mask).save(body, "PNG", compress_level=_FAST, compress_type=_RUNS)
    return [body.getvalue()]


def encode_npy(probabilities: NDArray[np.float32]) -> Parts:
    """Probabilities, float32 (C,H,W), as the file that `numpy.load` reads."""
    head, values = BytesIO(), np.ascontiguousarray(probabilities)
    header: Any = np.lib.format  # without type annotations
    header.write_array_header_1_0(head, header.header_data_from_array_1_0(values))
    return [head.getvalue(), values.data]


def _recordio(media_type: str) -> Encoder:
    """Probabilities as the one RecordIO record that the original answers with."""
    return Encoder(
        media_type, "probabilities", encode_record, _MOST_VALUES_IN_A_RECORD, _RECORD_IS_FULL
    )


# The first one is what a client without a wish gets, as from the original.
ENCODERS = (
    _recordio("application/x-recordio-protobuf"),
    _recordio("application/x-protobuf"),
    Encoder("image/png", "mask", encode_png),
    Encoder("application/x-npy", "probabilities", encode_npy),
)
