"""The bound on the bytes in flight: what is received, decoded and not yet stored."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import Final, NamedTuple

from relayscope.collector.errors import Overloaded

_PATIENCE: Final = 1.0
"""Seconds that a request waits for room. With the 8 s for an answer it stays below the 10 s after
which OTLP clients give up; what is stored in one second is 20 MB, most of the room."""

_MOST_WAITING: Final = 128
"""Requests that wait for room, besides repeats. Each has up to 64 KiB of its bytes in its
transport's buffers, so together they take 8 MiB at most."""

_MOST_LATE: Final = 256
"""Connections whose repeats go first. No more requests than that are under way under overload."""

LARGE: Final = 64 * 2**10
"""Bytes from which on a request is large: what large ones hold, they hold for longer."""


class _Waiting(NamedTuple):
    size: int
    admitted: asyncio.Future[None]
    is_repeat: bool


class InflightLimit:
    """Upper bound of the bytes of requests in memory. Belongs to one event loop."""

    def __init__(self, size: int, kept_for_small: int = 0) -> None:
        """Begin with all of it free.

        Args:
            size: Bytes in all.
            kept_for_small: Of these, what requests from `LARGE` bytes on do not get.
        """
        self.size = size
        self.taken = 0
        self.large = 0
        self._for_large = size - kept_for_small
        self._waiting: list[_Waiting] = []
        self._late: OrderedDict[str, None] = OrderedDict()

    async def reserve(self, size: int, connection: str = "") -> Reservation:
        """Reserve a place for one request before any of it is read: first come, first served.

        What comes over a connection whose last answer was late goes before all others.

        Args:
            size: bytes that the request has at most, or at first.
            connection: the connection that it comes over.

        Raises:
            Overloaded: there was no room within a second, or too many wait for it already.
        """
        is_repeat = connection in self._late
        if self._waiting or not self._has(size):
            await self._wait(size, is_repeat=is_repeat)
        else:
            self.taken += size
        self._late.pop(connection, None)
        return Reservation(self, size)

    def answered_late(self, connection: str) -> None:
        """Let the next request of this connection go first.

        It very probably repeats one that is stored by then, and needs room for a moment. Where it
        has to compete with new ones, 400 senders get hardly any answer: 1 of 4,122 requests
        of 2 MB, though 24 were stored.
        """
        self._late[connection] = None
        if len(self._late) > _MOST_LATE:
            self._late.popitem(last=False)

    def grow(self, size: int) -> None:
        """Take room for that many bytes now.

        Raises:
            Overloaded: there is not enough.
        """
        if self.taken + size > self._for_large:
            raise _no_room()
        self.taken += size

    def add_large(self, size: int) -> None:
        """Count what a large request holds.

        Raises:
            Overloaded: that is more than they may hold together.
        """
        if self.large + size > self._for_large:
            raise _no_room()
        self.large += size

    def shrink(self, size: int) -> None:
        """Give room back."""
        self.taken -= size
        while self._waiting and self._has(self._waiting[0].size):
            first = self._waiting.pop(0)
            if not first.admitted.done():
                self.taken += first.size
                first.admitted.set_result(None)

    def _has(self, size: int) -> bool:
        return self.taken + size <= self.size

    async def _wait(self, size: int, *, is_repeat: bool) -> None:
        if len(self._waiting) >= _MOST_WAITING and not is_repeat:
            raise _no_room()
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = _Waiting(size, admitted, is_repeat)
        repeats = sum(waiting.is_repeat for waiting in self._waiting)
        self._waiting.insert(repeats if is_repeat else len(self._waiting), place)
        try:
            async with asyncio.timeout(_PATIENCE):
                await admitted
        except BaseException as error:
            with suppress(ValueError):
                self._waiting.remove(place)
            # It may have been let in at the very moment at which it gave up; if not, those behind
            # it may fit where it did not.
            self.shrink(size if admitted.done() and not admitted.cancelled() else 0)
            if isinstance(error, TimeoutError):
                raise _no_room() from None
            raise


class Reservation:
    """The bytes of one request. Whoever holds it last releases it."""

    __slots__ = ("_bytes", "_large", "_limit")

    def __init__(self, limit: InflightLimit, size: int) -> None:
        self._limit = limit
        self._bytes = size
        self._large = 0

    def grow_to(self, size: int) -> None:
        """Hold that many bytes, if there are fewer now.

        Raises:
            Overloaded: there is not enough room; what was held before stays held.
        """
        if size > self._bytes:
            self._limit.grow(size - self._bytes)
            self._bytes = size

    def shrink_to(self, size: int) -> None:
        """Give back what is held beyond so many bytes."""
        if size < self._bytes:
            self._limit.shrink(self._bytes - size)
            self._bytes = size

    def settle_at(self, size: int) -> None:
        """Hold that many bytes, which it has turned out to be, and no more from now on.

        Raises:
            Overloaded: it is a large request, and the large ones have their share already.
        """
        self.shrink_to(size)
        if size >= LARGE:
            self._limit.add_large(size)
            self._large = size

    def release(self) -> None:
        """Give everything back; harmless when repeated."""
        self._limit.large -= self._large
        self._large = 0
        self.shrink_to(0)


def _no_room() -> Overloaded:
    return Overloaded("too many requests are being sanitized and stored; try again")
