import pytest

from semseg.serving.memory import MOST_PIXELS, affordable_pixels

GIB = 1 << 30


def test_a_small_container_takes_small_images():
    assert affordable_pixels(21, workers=1, memory=2 * GIB) < 1_000_000
    assert affordable_pixels(21, workers=1, memory=4 * GIB) > 2_000_000


def test_no_more_than_a_cpu_can_do_in_time():
    assert affordable_pixels(2, workers=1, memory=512 * GIB) == MOST_PIXELS


def test_many_classes_and_many_workers_leave_less():
    few = affordable_pixels(2, workers=1, memory=8 * GIB)
    assert affordable_pixels(254, workers=1, memory=8 * GIB) < few / 2
    assert affordable_pixels(2, workers=4, memory=8 * GIB) < few / 4


@pytest.mark.parametrize("memory", [0, GIB // 2])
def test_there_is_always_something(memory):
    assert affordable_pixels(21, workers=1, memory=memory) == 512 * 512
