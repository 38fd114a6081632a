"""The bound on the bytes in flight: what is received, decoded and not yet stored."""

from __future__ import annotations

from relayscope.collector.errors import Overloaded


class Room:
    """How many bytes of requests may be in memory at a time. Belongs to one event loop."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken = 0

    def reserve(self) -> Reservation:
        """A place for one request, empty at first."""
        return Reservation(self)


class Reservation:
    """The bytes of one request. Whoever holds it last releases it."""

    __slots__ = ("_bytes", "_room")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._bytes = 0

    def grow(self, size: int) -> None:
        """Take room for that many more bytes.

        Raises:
            Overloaded: there is not enough; what was taken before stays taken.
        """
        room = self._room
        if room.taken + size > room.size:
            raise Overloaded("too many requests are being stored; try again")
        room.taken += size
        self._bytes += size

    def release(self) -> None:
        """Give everything back; harmless when repeated."""
        self._room.taken -= self._bytes
        self._bytes = 0
