"""Room for batches: that of an earlier one, once nobody holds that any more.

New memory has to be zeroed by the system first. A batch of 16 crops of 480 pixels has 48 MB, and
that would take a tenth of the time that it takes to make it.
"""

from collections import deque

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


class BatchMemory:
    """Lends memory to any thread."""

    def __init__(self) -> None:
        self._free: deque[Bytes] = deque()

    def take(self, size: int) -> Bytes:
        """So many bytes, which come back by themselves when no array refers to them."""
        while True:
            try:
                memory = self._free.popleft()
            except IndexError:
                memory = np.empty(size, np.uint8)
            if memory.size == size:  # whole images may differ: what does not fit is given up
                return np.asarray(_Lent(memory, self._free))


class _Lent:
    """What arrays refer to that lie in lent memory: it lives as long as the last of them."""

    def __init__(self, memory: Bytes, owner: deque[Bytes]) -> None:
        self.__array_interface__ = memory.__array_interface__
        self._memory = memory
        self._owner = owner

    def __del__(self) -> None:
        self._owner.append(self._memory)
