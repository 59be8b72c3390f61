import threading

import numpy as np
import pytest

from semseg.data.batch_memory import BatchMemory, Bytes


def place(array: Bytes) -> int:
    address: int = array.ctypes.data
    return address


def test_memory_is_lent_again_once_nobody_holds_it() -> None:
    memory = BatchMemory()
    first = memory.take(5000)
    before = place(first)
    del first
    again = memory.take(5000)
    assert place(again) == before
    assert (again.dtype, again.shape, again.flags.writeable) == (np.uint8, (5000,), True)


@pytest.mark.parametrize(
    "part",
    [
        lambda lent: lent[10:20],
        lambda lent: lent.view(np.float32)[3:].reshape(2, -1)[1],
        lambda lent: memoryview(lent),
        lambda lent: np.frombuffer(lent, np.uint16),
    ],
)
def test_memory_is_not_lent_again_while_a_part_of_it_is_held(part: object) -> None:
    assert callable(part)
    memory = BatchMemory()
    lent = memory.take(4 * 103)
    before, held = place(lent), part(lent)
    del lent
    other = memory.take(4 * 103)
    assert place(other) != before
    del held
    assert place(memory.take(4 * 103)) == before


def test_memory_of_another_size_is_given_up() -> None:
    memory = BatchMemory()
    memory.take(5000)
    assert memory.take(700).shape == (700,)
    assert memory.take(5000).shape == (5000,)


def test_nobody_gets_the_same_memory_as_another_thread() -> None:
    memory, same = BatchMemory(), []

    def use(value: int) -> None:
        for _ in range(2000):
            lent = memory.take(64)
            lent[:] = value
            same.append((lent == value).all())

    threads = [threading.Thread(target=use, args=[value]) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(same) == 8000
    assert all(same)
