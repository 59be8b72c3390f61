from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from semseg.sagemaker.record import encode_record
from semseg.serving.encoders import ENCODERS, encode_npy, encode_png

PROBABILITIES = np.random.default_rng(1).random((3, 4, 5), dtype=np.float32)

joined = b"".join


def test_a_mask_becomes_an_eight_bit_png():
    mask = np.array([[0, 1, 253], [20, 7, 0]], np.uint8)

    with Image.open(BytesIO(joined(encode_png(mask)))) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        assert np.array_equal(np.asarray(image), mask)


def test_probabilities_become_what_numpy_loads():
    loaded = np.load(BytesIO(joined(encode_npy(PROBABILITIES))))

    assert loaded.dtype == np.float32
    assert np.array_equal(loaded, PROBABILITIES)


def test_probabilities_are_the_very_file_that_numpy_saves():
    saved = BytesIO()
    np.save(saved, PROBABILITIES)

    assert joined(encode_npy(PROBABILITIES)) == saved.getvalue()


def test_probabilities_that_lie_otherwise_in_memory():
    turned = PROBABILITIES.transpose(0, 2, 1)

    assert np.array_equal(np.load(BytesIO(joined(encode_npy(turned)))), turned)


def test_a_record_starts_with_recordio_s_magic_number_and_holds_the_values():
    record = joined(encode_record(PROBABILITIES))

    assert record[:4] == b"\x0a\x23\xd7\xce"
    assert PROBABILITIES.tobytes() in record


@pytest.mark.parametrize("encoder", [each for each in ENCODERS if each.encode is encode_record])
def test_a_record_has_room_for_just_what_is_said(encoder):
    most = np.zeros((1, 1, encoder.most_values), np.float32)  # never read, so it takes no memory
    length = sum(memoryview(part).nbytes for part in encoder.encode(most))

    assert 2**29 - 2048 < length < 2**29


@pytest.mark.parametrize("encoder", [each for each in ENCODERS if each.wants == "probabilities"])
def test_probabilities_are_not_copied(encoder):
    first, *others = encoder.encode(PROBABILITIES)

    assert isinstance(first, bytes)
    assert any(np.shares_memory(np.asarray(part), PROBABILITIES) for part in others if part)
