"""An answer's body on its way from where it lies in memory to the client's socket."""

from collections.abc import Iterator
from itertools import groupby

from flask import Response

from semseg.sagemaker.recordio import Parts
from semseg.serving.patient_socket import PatientSocket


def answer_in_parts(parts: Parts, media_type: str, client: PatientSocket | None) -> Response:
    """An answer whose large parts are not copied.

    WSGI servers take nothing but bytes, and to turn probabilities into bytes would take as long as
    to send them, and their memory a second time.

    Args:
        parts: of the body; the first is bytes.
        media_type: its Content-Type.
        client: where gunicorn sends the answer; None behind another server, which gets bytes.
    """
    length = sum(memoryview(part).nbytes for part in parts)
    return Response(
        b"".join(parts) if client is None else _handing_over(parts, client),
        mimetype=media_type,
        headers={"Content-Length": str(length)},
    )


def _handing_over(parts: Parts, client: PatientSocket) -> Iterator[bytes]:
    """Bytes for gunicorn, which sends them before it asks for more; the rest is sent here.

    The first bytes are what gunicorn waits for with the answer's head.
    """
    for are_bytes, some in groupby(parts, lambda part: isinstance(part, bytes)):
        if are_bytes:
            yield b"".join(some)
        else:
            for part in some:
                client.sendall(part)
