"""The SageMaker SDK's own RecordIO, for a process that cannot import it: see test_recordio_sdk.py.

Each line of standard input is a JSON object: payloads to `write`, or a stream to `read`, all as
hexadecimal text. Each is answered with one line: the stream, or the payloads.
"""

import io
import json
import os
import sys

os.environ["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"
answers, sys.stdout = sys.stdout, sys.stderr  # the SDK prints while it is imported

from sagemaker.amazon.common import read_recordio  # noqa: E402
from sagemaker.serializer_utils import _write_recordio  # noqa: E402


def answer(question: dict[str, str | list[str]]) -> str | list[str]:
    """What the SDK makes of the question."""
    if "read" in question:
        stream = io.BytesIO(bytes.fromhex(question["read"]))
        return [payload.hex() for payload in read_recordio(stream)]
    stream = io.BytesIO()
    for payload in question["write"]:
        _write_recordio(stream, bytes.fromhex(payload))
    return stream.getvalue().hex()


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=answers, flush=True)
