"""Masks and probabilities by squares are those of the whole, and take a square's memory."""

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

from semseg.inference import upsampling
from semseg.inference.upsampling import Logits, Size, mask_of, probabilities_of

SIZES = [
    ((5, 7), (40, 56)),
    ((5, 7), (33, 50)),
    ((1, 1), (3, 5)),
    ((4, 1), (1, 9)),
    ((1, 140), (3, 1117)),
    ((140, 1), (1117, 3)),
]


def draw(classes: int, size: Size) -> Logits:
    return np.random.default_rng(1).normal(size=(classes, *size)).astype(np.float32)


def resized(logits: Logits, size: Size) -> Logits:
    """By MXNet's own operator, whole."""
    height, width = size
    batch = mx.nd.array(logits[None])
    return np.asarray(
        mx.nd.contrib.BilinearResize2D(batch, height=height, width=width)[0].asnumpy()
    )


@pytest.mark.parametrize("values_in_a_square", [1, 1000, 1 << 18])
@pytest.mark.parametrize(("coarse", "fine"), SIZES)
def test_squares_make_up_the_whole(
    monkeypatch: pytest.MonkeyPatch, coarse: Size, fine: Size, values_in_a_square: int
) -> None:
    monkeypatch.setattr(upsampling, "_VALUES_IN_A_SQUARE", values_in_a_square)
    logits = draw(4, coarse)
    whole = resized(logits, fine)
    expected = mx.nd.softmax(mx.nd.array(whole), axis=0).asnumpy()

    np.testing.assert_allclose(probabilities_of(logits, fine), expected, atol=1e-5)
    mask = mask_of(logits, fine)
    chosen = np.take_along_axis(whole, mask[None].astype(int), axis=0)[0]
    np.testing.assert_allclose(chosen, whole.max(axis=0), atol=1e-5)
    assert mask.dtype == np.uint8


def test_the_first_of_several_best_classes_is_taken() -> None:
    np.testing.assert_array_equal(mask_of(np.zeros((3, 2, 2), np.float32), (9, 9)), 0)


@pytest.mark.parametrize(("make", "most_mib"), [(mask_of, 10), (probabilities_of, 180)])
def test_no_more_than_the_answer_and_a_square_is_in_memory(make: object, most_mib: int) -> None:
    """Logits of 21 classes at 1080x1920 would be 166 MiB, which is what probabilities take."""
    logits = draw(21, (135, 240))
    tracemalloc.start()
    try:
        make(logits, (1080, 1920))  # type: ignore[operator]
        assert tracemalloc.get_traced_memory()[1] < most_mib << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [(1, 200_000), (200_000, 1), (9, 65_500)])
def test_long_thin_images_take_no_more(size: Size) -> None:
    """What each point of 25,000 adds to each of 200,000 would be 19 GiB."""
    logits = draw(2, (-(-size[0] // 8), -(-size[1] // 8)))
    tracemalloc.start()
    try:
        mask_of(logits, size)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_far_out_points_are_as_exact_as_near_ones() -> None:
    """In float32, places beyond 131,072 are known to a sixty-fourth."""
    first = np.arange(250_000) % 2
    logits = np.stack([first, 0 * first]).astype(np.float32)[:, None]
    found = probabilities_of(logits, (1, 2_000_000))[0, 0, -100:]
    places = np.arange(2_000_000 - 100, 2_000_000) * (249_999 / 1_999_999)
    between = np.interp(places, np.arange(250_000), first)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-between)), atol=1e-5)


def test_numpy_keeps_to_one_thread_and_mxnet_to_its_own() -> None:
    program = """
import ctypes, json, sys
import numpy
ctypes.CDLL(sys.argv[1])
from threadpoolctl import threadpool_info
from semseg.inference.upsampling import use_one_thread
use_one_thread()
print(json.dumps({info["filepath"]: info["num_threads"] for info in threadpool_info()}))
"""
    library = Path(mx.__file__).with_name("libopenblas.so.0")
    variables = {"OMP_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(
        [sys.executable, "-c", program, library],
        env=variables,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    threads: dict[str, int] = json.loads(said)
    others = {path: count for path, count in threads.items() if "numpy" in path}
    ours = {path: count for path, count in threads.items() if "mxnet" in path or "gomp" in path}
    assert set(others.values()) == {1}
    assert len(ours) == 2
    assert set(ours.values()) == {2}
