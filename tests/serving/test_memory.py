from pathlib import Path

import pytest

from semseg.sagemaker.errors import CustomerError
from semseg.serving.memory import (
    MOST_PIXELS,
    affordable_pixels,
    affordable_values,
    pixels_at_once,
    refuse_too_little_memory,
    waiting_memory,
)

MIB = 1 << 20
GIB = 1 << 30


@pytest.mark.parametrize("algorithm", ["fcn", "psp", "deeplab"])
def test_a_small_container_computes_small_pieces(algorithm):
    assert pixels_at_once(algorithm, workers=1, memory=2 * GIB) < 800_000
    assert pixels_at_once(algorithm, workers=1, memory=8 * GIB) > 1920 * 1080


def test_large_masks_need_three_gigabytes():
    assert affordable_pixels(21, workers=1, memory=3 * GIB) > 6000 * 4000
    assert affordable_pixels(2, workers=1, memory=512 * GIB) == MOST_PIXELS


def test_probabilities_need_more():
    assert affordable_values(workers=1, memory=3 * GIB) < 6000 * 4000 * 21
    assert affordable_values(workers=1, memory=3 * GIB) > 1920 * 1080 * 21


def test_many_classes_and_many_workers_leave_less():
    few = affordable_pixels(2, workers=1, memory=2 * GIB)
    assert affordable_pixels(254, workers=1, memory=2 * GIB) < few / 2
    assert affordable_pixels(2, workers=3, memory=3 * GIB) < few / 2
    assert pixels_at_once("fcn", workers=4, memory=8 * GIB) * 4 < pixels_at_once("fcn", 1, 8 * GIB)


@pytest.mark.parametrize("memory", [0, GIB // 2])
def test_there_is_always_something(memory):
    assert affordable_pixels(21, workers=1, memory=memory) == 512 * 512
    assert pixels_at_once("psp", workers=1, memory=memory) == 512 * 512
    assert affordable_values(workers=1, memory=memory) == 512 * 512 * 21


def test_answers_get_a_part_that_forwards_do_not():
    small, large = (waiting_memory(1, memory=gib * GIB) for gib in (3, 5))

    assert small.answers == (3 * GIB - 768 * MIB) // 4
    assert large.answers == (5 * GIB - 768 * MIB) // 4
    assert waiting_memory(4, memory=12 * GIB) == small  # four workers need four times the memory


@pytest.mark.parametrize(("memory", "mib"), [(0, 64), (512 * GIB, 2048)])
def test_answers_get_something_and_not_everything(memory, mib):
    assert waiting_memory(1, memory).answers == mib * MIB


@pytest.mark.parametrize(
    ("longest", "mib"),
    [
        (1, 96),
        (6, 96),
        (20, 320),  # sixteen of them
        (100, 576),  # a quarter of what is there beside the worker
        (1024, 1024),  # one at least
    ],
)
def test_long_requests_get_more(longest, mib):
    waiting = waiting_memory(1, memory=3 * GIB, longest=longest * MIB)

    assert waiting.requests == mib * MIB
    assert waiting.answers == waiting_memory(1, memory=3 * GIB).answers


def test_what_long_requests_get_images_do_not():
    for affordable in (
        lambda longest: affordable_pixels(21, 1, 3 * GIB, longest),
        lambda longest: pixels_at_once("fcn", 1, 3 * GIB, longest),
        lambda longest: affordable_values(1, 3 * GIB, longest),
    ):
        assert affordable(100 * MIB) < 0.75 * affordable(6 * MIB)


def test_a_small_container_has_room_for_a_request():
    assert waiting_memory(1, memory=GIB // 2, longest=20 * MIB).requests == 96 * MIB


@pytest.fixture
def parameters(tmp_path) -> Path:
    """A file as long as those of an FCN on ResNet-50."""
    path = tmp_path / "model_best.params"
    with path.open("wb") as file:
        file.truncate(135 * MIB)
    return path


def test_a_container_too_small_for_the_model_is_told_of_both_sizes(parameters):
    with pytest.raises(CustomerError, match=r"model_best.params needs .* 4\d\d MiB .* are 384 MiB"):
        refuse_too_little_memory(parameters, workers=1, memory=384 * MIB)


def test_each_worker_needs_a_model_of_its_own(parameters):
    refuse_too_little_memory(parameters, workers=1, memory=640 * MIB)

    with pytest.raises(CustomerError, match=r"2 workers .SAGEMAKER_MODEL_SERVER_WORKERS"):
        refuse_too_little_memory(parameters, workers=2, memory=640 * MIB)
