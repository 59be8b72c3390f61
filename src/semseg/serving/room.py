"""Memory for what slow clients send or have yet to take, so that there is an end to it."""

import threading
import time
from collections.abc import Callable

# Seconds after which a client that still holds memory has to make room for another.
_SLOW = 10.0


class Share:
    """Some bytes of a `Room`. The one who has it gives it back with `release`, at the latest.

    Attributes:
        size: bytes.
        since: when it began to be up to a client how long this takes.
        ends: whether that client has been cut off, so that the bytes come back soon.
    """

    def __init__(self, room: "Room") -> None:
        self.size = 0
        self.since = float("inf")
        self.ends = False
        self._room = room
        self._cut_off: Callable[[], None] | None = None

    def waits_for_a_client(self, cut_off: Callable[[], None]) -> None:
        """From now on it is up to a client how long this takes.

        Args:
            cut_off: ends the wait; called from any thread.
        """
        self._cut_off, self.since = cut_off, time.monotonic()

    def waits_no_longer(self) -> None:
        """The client has done its part."""
        self._cut_off, self.since = None, float("inf")

    def grow(self, size: int) -> bool:
        """Takes as many bytes more; false where they are not to be had."""
        return self._room.add(self, size)

    def shrink(self, size: int) -> None:
        """Gives so many of the bytes back."""
        self._room.give_back(self, size)

    def release(self) -> None:
        """Gives the bytes back; a second time does nothing."""
        self._room.remove(self)

    def give_way(self) -> None:
        """Cuts the client off."""
        self.ends = True
        if self._cut_off:
            self._cut_off()


class Room:
    """A number of bytes that the clients of a worker share.

    What does not fit is refused, and of those who have been slow, as many are cut off as it takes
    for it to fit soon, the slowest first. A single share may be larger than all of it, or a large
    answer could never be given.

    Args:
        most: bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._shares: dict[Share, None] = {}
        self._lock = threading.Lock()

    def take(self, size: int) -> Share | None:
        """A share of `size` bytes; None where they are not to be had."""
        share = Share(self)
        return share if self.add(share, size) else None

    def add(self, share: Share, size: int) -> bool:
        """See `Share.grow`."""
        with self._lock:
            others = self._taken - share.size
            if not others or self._taken + size <= self._most:
                share.size += size
                self._taken += size
                self._shares[share] = None
                return True
            giving = self._who_gives_way(share, self._taken + size - self._most)
        for other in giving:
            other.give_way()
        return False

    def _who_gives_way(self, asking: Share, missing: int) -> list[Share]:
        others = [share for share in self._shares if share is not asking]
        missing -= sum(share.size for share in others if share.ends)
        long_ago = time.monotonic() - _SLOW
        slow = [share for share in others if share.since < long_ago and not share.ends]
        giving = []
        for share in sorted(slow, key=lambda share: share.since):
            if missing <= 0:
                break
            missing -= share.size
            giving.append(share)
        return giving

    def give_back(self, share: Share, size: int) -> None:
        """See `Share.shrink`."""
        with self._lock:
            if share in self._shares:
                share.size -= size
                self._taken -= size

    def remove(self, share: Share) -> None:
        """See `Share.release`."""
        with self._lock:
            if share in self._shares:
                del self._shares[share]
                self._taken -= share.size
