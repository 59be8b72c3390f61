import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from moto.sagemakerruntime.models import sagemakerruntime_backends
from PIL import Image

from tests.scripts.aws.account import ACCOUNT, REGION


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A file that moto can read, which takes text only; `tests/contract` sends a real image."""
    file = tmp_path / "photo.jpg"
    file.write_text("a photo")
    return file


@pytest.fixture
def answers(client) -> Callable[[bytes | str, str], None]:
    """Sets what moto's endpoint answers."""

    def answer(body: bytes | str, content_type: str) -> None:
        backend = sagemakerruntime_backends[ACCOUNT][REGION]
        backend.results_queue.append((body, content_type, "AllTraffic", ""))  # type: ignore[arg-type]

    return answer


def png(mask: np.ndarray) -> bytes:
    body = io.BytesIO()
    Image.fromarray(mask).save(body, "PNG")
    return body.getvalue()


def test_the_request(nowhere, aws, photo):
    document = aws("invoke", "horses", photo, "mask.png", "--dry-run").document

    size = photo.stat().st_size
    assert document == {
        "InvokeEndpoint": {
            "EndpointName": "horses",
            "ContentType": "image/jpeg",
            "Accept": "image/png",
            "Body": f"<the {size} bytes of {photo}>",
        }
    }


def test_the_mask_is_saved_as_it_came(answers, aws, photo):
    mask = png(np.array([[0, 0, 15], [2, 0, 0]], np.uint8))
    answers(mask, "image/png")
    file = photo.with_name("mask.png")

    outcome = aws("invoke", "horses", photo, file)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"{file}: 3 x 2 pixels, classes 0, 2, 15\n"
    assert file.read_bytes() == mask


def test_an_answer_of_another_kind_is_not_saved(answers, aws, photo):
    answers("oops", "text/plain")
    file = photo.with_name("mask.png")

    outcome = aws("invoke", "horses", photo, file)

    assert outcome.code == 1
    assert outcome.err == (
        f"The endpoint horses was asked for image/png and answered text/plain; {file} was not "
        "written.\n"
    )
    assert not file.exists()


def test_bytes_that_are_no_image_are_not_saved(answers, aws, photo):
    answers("oops", "image/png")
    file = photo.with_name("mask.png")

    outcome = aws("invoke", "horses", photo, file)

    assert outcome.code == 1
    assert outcome.err == "The endpoint answered 4 bytes that are no image.\n"
    assert not file.exists()


def test_a_file_that_cannot_be_written(answers, aws, photo):
    answers(png(np.zeros((2, 2), np.uint8)), "image/png")

    outcome = aws("invoke", "horses", photo, photo / "mask.png")

    assert outcome.code == 1
    assert "mask.png cannot be written: " in outcome.err


def test_an_image_that_is_not_there(nowhere, aws, tmp_path):
    outcome = aws("invoke", "horses", tmp_path / "none.jpg", tmp_path / "mask.png")

    assert outcome.code == 2
    assert outcome.err.endswith("none.jpg cannot be read: No such file or directory.\n")


def test_an_image_that_no_endpoint_takes(nowhere, aws, tmp_path):
    large = tmp_path / "large.jpg"
    large.write_bytes(b"0" * 6_291_457)

    outcome = aws("invoke", "horses", large, tmp_path / "mask.png")

    assert outcome.code == 2
    assert "has 6291457 bytes, and an endpoint takes 6291456" in outcome.err
