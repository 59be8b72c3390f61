from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semseg.serving.encoders import ENCODERS
from semseg.serving.negotiation import choose
from semseg.serving.refusal import Refusal

RECORDIO = "application/x-recordio-protobuf"
PROTOBUF = "application/x-protobuf"
PNG = "image/png"
NPY = "application/x-npy"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, RECORDIO),
        ("", RECORDIO),
        ("  ", RECORDIO),
        (" , ,", RECORDIO),
        ("*/*", RECORDIO),
        ("*", RECORDIO),
        ("application/*", RECORDIO),
        (RECORDIO, RECORDIO),
        (PROTOBUF, PROTOBUF),
        (NPY, NPY),
        (PNG, PNG),
        ("image/*", PNG),
        ("IMAGE/PNG", PNG),
        ('image/png; profile="a,b;q=0"', PNG),
        ("image/png;q=0.5;level=1", PNG),
        ("image/webp, image/png", PNG),
        ("application/json, */*;q=0.1", RECORDIO),
        ("*/*, image/png", PNG),
        ("*/*;q=0.9, image/png;q=0.8", RECORDIO),
        ("*/*;q=0.1, image/png", PNG),
        ("application/x-npy, image/png", NPY),
        ("image/png, application/x-npy", PNG),
        ("image/png;q=0.4, application/x-npy;q=0.5", NPY),
        ("image/png;q=0, */*", RECORDIO),
        ("image/png;q=0, image/*, application/x-npy;q=0.1", NPY),
        ("application/x-recordio-protobuf;q=0, application/*", PROTOBUF),
        ("image/png;q=nonsense, application/x-npy", NPY),
        ("garbage, ;;, /, image/png", PNG),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", RECORDIO),
    ],
)
def test_the_header_chooses(accept, chosen):
    assert choose(accept).media_type == chosen


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "image/jpeg",
        "text/*",
        "*/*;q=0",
        "image/png;q=0",
        "image/png;q=0.0, application/json",
        "garbage",
        "/",
        "image",
        "*/png",
        "\x00\xff",
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(accept):
    with pytest.raises(Refusal) as refusal:
        choose(accept)

    assert refusal.value.status == 406
    for encoder in ENCODERS:
        assert encoder.media_type in refusal.value.sentence


@given(st.text(max_size=200) | st.text(alphabet='*/;,=q.01 "\\imagepn', max_size=60))
def test_no_header_does_anything_else(accept):
    with suppress(Refusal):
        assert choose(accept) in ENCODERS
