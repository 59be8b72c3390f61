"""From what the network said to an answer's body: one encoder for each media type offered."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semseg.sagemaker.record import encode_record
from semseg.serving.refusal import Refusal

Kind = Literal["mask", "probabilities"]

# A RecordIO frame tells its length in 29 bits; the rest is room for the Record around the values.
_MOST_BYTES_IN_A_RECORD = 2**29 - 1024

# zlib's fastest level: masks are flat areas, which it shrinks nearly as well as slower ones do.
_FAST = 1


@dataclass(frozen=True)
class Encoder:
    """One kind of answer.

    Attributes:
        media_type: what a client asks for, and the answer's Content-Type.
        wants: what it is made from, a mask uint8 (H,W) or probabilities float32 (C,H,W).
        encode: makes the body.
    """

    media_type: str
    wants: Kind
    encode: Callable[[NDArray[Any]], bytes]


def encode_png(mask: NDArray[np.uint8]) -> bytes:
    """A mask, uint8 (H,W), as an 8-bit greyscale PNG: one class number a pixel."""
    body = BytesIO()
    Image.fromarray(mask).save(body, "PNG", compress_level=_FAST)
    return body.getvalue()


def encode_recordio(probabilities: NDArray[np.float32]) -> bytes:
    """Probabilities, float32 (C,H,W), as the one RecordIO record that the original answers with.

    Raises:
        Refusal: 413 if they are too many for a record.
    """
    if probabilities.nbytes > _MOST_BYTES_IN_A_RECORD:
        raise Refusal(
            413,
            f"The probabilities of this image take {probabilities.nbytes >> 20} MiB and a RecordIO "
            "record holds 512: send a smaller image, or ask for image/png or application/x-npy.",
        )
    return encode_record(probabilities)


def encode_npy(probabilities: NDArray[np.float32]) -> bytes:
    """Probabilities, float32 (C,H,W), as the file that `numpy.load` reads."""
    body = BytesIO()
    np.save(body, probabilities, allow_pickle=False)
    return body.getvalue()


# The first one is what a client without a wish gets, as from the original.
ENCODERS = (
    Encoder("application/x-recordio-protobuf", "probabilities", encode_recordio),
    Encoder("application/x-protobuf", "probabilities", encode_recordio),
    Encoder("image/png", "mask", encode_png),
    Encoder("application/x-npy", "probabilities", encode_npy),
)
