from pathlib import Path

import pytest

from semseg.sagemaker.errors import CustomerError
from semseg.serving.memory import MOST_PIXELS, WorkerMemory, refuse_too_little_memory

MIB = 1 << 20
GIB = 1 << 30


@pytest.mark.parametrize("algorithm", ["fcn", "psp", "deeplab"])
def test_a_small_container_computes_small_pieces(algorithm):
    assert WorkerMemory(workers=1, memory=2 * GIB).pixels_at_once(algorithm) < 800_000
    assert WorkerMemory(workers=1, memory=8 * GIB).pixels_at_once(algorithm) > 1920 * 1080


def test_large_masks_need_three_gigabytes():
    assert WorkerMemory(workers=1, memory=3 * GIB).pixels(21) > 6000 * 4000
    assert WorkerMemory(workers=1, memory=512 * GIB).pixels(2) == MOST_PIXELS


def test_probabilities_need_more():
    assert WorkerMemory(workers=1, memory=3 * GIB).values() < 6000 * 4000 * 21
    assert WorkerMemory(workers=1, memory=3 * GIB).values() > 1920 * 1080 * 21


def test_many_classes_and_many_workers_leave_less():
    few = WorkerMemory(workers=1, memory=2 * GIB).pixels(2)
    assert WorkerMemory(workers=1, memory=2 * GIB).pixels(254) < few / 2
    assert WorkerMemory(workers=3, memory=3 * GIB).pixels(2) < few / 2
    one, four = (WorkerMemory(count, memory=8 * GIB).pixels_at_once("fcn") for count in (1, 4))
    assert four * 4 < one


@pytest.mark.parametrize("memory", [0, GIB // 2])
def test_there_is_always_something(memory):
    assert WorkerMemory(workers=1, memory=memory).pixels(21) == 512 * 512
    assert WorkerMemory(workers=1, memory=memory).pixels_at_once("psp") == 512 * 512
    assert WorkerMemory(workers=1, memory=memory).values() == 512 * 512 * 21


def test_answers_get_a_part_that_forwards_do_not():
    small, large = (WorkerMemory(1, memory=gib * GIB).waiting() for gib in (3, 5))

    assert small.answers == (3 * GIB - 768 * MIB) // 4
    assert large.answers == (5 * GIB - 768 * MIB) // 4
    # Four workers need four times the memory.
    assert WorkerMemory(4, memory=12 * GIB).waiting() == small


@pytest.mark.parametrize(("memory", "mib"), [(0, 64), (512 * GIB, 2048)])
def test_answers_get_something_and_not_everything(memory, mib):
    assert WorkerMemory(1, memory=memory).waiting().answers == mib * MIB


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
    waiting = WorkerMemory(1, memory=3 * GIB, longest=longest * MIB).waiting()

    assert waiting.requests == mib * MIB
    assert waiting.answers == WorkerMemory(1, memory=3 * GIB).waiting().answers


def test_what_long_requests_get_images_do_not():
    for affordable in (
        lambda longest: WorkerMemory(1, longest, 3 * GIB).pixels(21),
        lambda longest: WorkerMemory(1, longest, 3 * GIB).pixels_at_once("fcn"),
        lambda longest: WorkerMemory(1, longest, 3 * GIB).values(),
    ):
        assert affordable(100 * MIB) < 0.75 * affordable(6 * MIB)


def test_a_small_container_has_room_for_a_request():
    assert WorkerMemory(1, memory=GIB // 2, longest=20 * MIB).waiting().requests == 96 * MIB


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
