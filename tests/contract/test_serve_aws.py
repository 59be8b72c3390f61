"""`python -m scripts.aws invoke` against a real server."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.aws.__main__ import main


@pytest.fixture
def photo(server, image_file, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", server.url)
    file = tmp_path / "photo.jpg"
    file.write_bytes(image_file(41, 57, "JPEG"))
    return file


def test_a_mask_is_saved(photo, capsys):
    mask = photo.with_name("mask.png")

    assert main(["invoke", "horses", str(photo), str(mask)]) == 0

    assert capsys.readouterr().out.startswith(f"{mask}: 57 x 41 pixels, classes ")
    assert np.asarray(Image.open(mask)).shape == (41, 57)


def test_probabilities_are_saved(photo):
    file = photo.with_name("probabilities.npy")

    assert main(["invoke", "horses", str(photo), str(file), "--accept", "application/x-npy"]) == 0

    probabilities = np.load(io.BytesIO(file.read_bytes()))
    assert probabilities.shape[1:] == (41, 57)


def test_an_endpoint_that_refuses(photo, capsys):
    photo.write_bytes(b"no image")
    mask = photo.with_name("mask.png")

    assert main(["invoke", "horses", str(photo), str(mask)]) == 1

    said = capsys.readouterr().err
    assert "415" in said
    assert "Traceback" not in said
    assert not mask.exists()
