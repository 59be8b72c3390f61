"""Refuses float16 where it is not worth while."""

from typing import Any

from semseg.inference.comparing import Compute, times_if_slower
from semseg.sagemaker.errors import CustomerError


def refuse_slower_float16(float16: Compute, float32: Compute, gpu: Any) -> None:
    """Makes sure that float16 is not the slower one.

    Raises:
        CustomerError: it is, with both times.
    """
    if times := times_if_slower(float16, float32, gpu):
        raise CustomerError(
            f"float16 is slower than float32 on this GPU: {times}. Serve with "
            "SEMSEG_PRECISION=float32; SEMSEG_PRECISION_CHECK=off serves in float16 all the same."
        )
