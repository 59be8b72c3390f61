"""A bound on the memory that requests, images and answers take, which a worker's clients share."""

import threading
import time
from collections.abc import Callable

# Seconds after which a client that still holds memory has to make room for another.
_SLOW = 10.0


class Reservation:
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
        with self._room.lock:
            self._cut_off, self.since = cut_off, time.monotonic()

    def waits_no_longer(self) -> None:
        """The client has done its part."""
        with self._room.lock:
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
    for it to fit soon, the slowest first. A single reservation may be larger than all of it, or a
    large answer could never be given.

    Args:
        most: bytes.

    Attributes:
        lock: held wherever a reservation changes, and while a client is cut off: so nobody is who
            has given everything back meanwhile, and whose connection has another request by now.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._reservations: dict[Reservation, None] = {}
        self.lock = threading.RLock()  # who is cut off may give back at once

    def take(self, size: int) -> Reservation | None:
        """A reservation of `size` bytes; None where they are not to be had."""
        reservation = Reservation(self)
        return reservation if self.add(reservation, size) else None

    def add(self, reservation: Reservation, size: int) -> bool:
        """See `Reservation.grow`."""
        with self.lock:
            others = self._taken - reservation.size
            if not others or self._taken + size <= self._most:
                reservation.size += size
                self._taken += size
                self._reservations[reservation] = None
                return True
            for other in self._who_gives_way(reservation, self._taken + size - self._most):
                other.give_way()
            return False

    def _who_gives_way(self, asking: Reservation, missing: int) -> list[Reservation]:
        others = [reservation for reservation in self._reservations if reservation is not asking]
        missing -= sum(reservation.size for reservation in others if reservation.ends)
        long_ago = time.monotonic() - _SLOW
        slow = [
            reservation
            for reservation in others
            if reservation.since < long_ago and not reservation.ends
        ]
        giving = []
        for reservation in sorted(slow, key=lambda reservation: reservation.since):
            if missing <= 0:
                break
            missing -= reservation.size
            giving.append(reservation)
        return giving

    def give_back(self, reservation: Reservation, size: int) -> None:
        """See `Reservation.shrink`."""
        with self.lock:
            if reservation in self._reservations:
                reservation.size -= size
                self._taken -= size

    def remove(self, reservation: Reservation) -> None:
        """See `Reservation.release`."""
        with self.lock:
            if reservation in self._reservations:
                del self._reservations[reservation]
                self._taken -= reservation.size
