from pathlib import Path

import pytest

from semseg.sagemaker.errors import CustomerError
from semseg.serving.memory import (
    MOST_PIXELS,
    affordable_pixels,
    refuse_too_little_memory,
    waiting_memory,
)

MIB = 1 << 20
GIB = 1 << 30


def test_a_small_container_takes_small_images():
    assert affordable_pixels(21, workers=1, memory=2 * GIB) < 1_000_000
    assert affordable_pixels(21, workers=1, memory=4 * GIB) > 1_500_000


def test_no_more_than_a_cpu_can_do_in_time():
    assert affordable_pixels(2, workers=1, memory=512 * GIB) == MOST_PIXELS


def test_many_classes_and_many_workers_leave_less():
    few = affordable_pixels(2, workers=1, memory=8 * GIB)
    assert affordable_pixels(254, workers=1, memory=8 * GIB) < few / 2
    assert affordable_pixels(2, workers=4, memory=8 * GIB) < few / 4


@pytest.mark.parametrize("memory", [0, GIB // 2])
def test_there_is_always_something(memory):
    assert affordable_pixels(21, workers=1, memory=memory) == 512 * 512


def test_answers_get_a_part_that_forwards_do_not():
    small, large = (waiting_memory(1, memory=gib * GIB) for gib in (3, 5))

    assert small.answers == GIB // 2
    assert large.answers == GIB
    assert waiting_memory(4, memory=12 * GIB) == small  # four workers need four times the memory


@pytest.mark.parametrize(("memory", "mib"), [(0, 64), (512 * GIB, 2048)])
def test_answers_get_something_and_not_everything(memory, mib):
    assert waiting_memory(1, memory).answers == mib * MIB


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
