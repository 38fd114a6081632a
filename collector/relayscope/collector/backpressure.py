"""Lets work begin only while little of what was made is still held."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_AT_A_TIME: Final = 2
"""Turns that begin at a time: one is at work, the next lies ready for its thread. With one at a
time, the thread that decodes waited a quarter of its time for the event loop to bring the next."""


class Turn:
    """One piece of work that has begun.

    It makes way for the next one when it has said how much it holds, or is over.
    """

    def __init__(self, beginning: asyncio.Semaphore) -> None:
        self._beginning = beginning
        self._said = False
        self.held = 0

    def holds(self, items: int) -> None:
        """Say how much the work has made; it is let go when the turn is over."""
        self.held = items
        self._said = True
        self._beginning.release()

    def end(self) -> None:
        """Let the next one begin, if that was not said yet."""
        if not self._said:
            self._beginning.release()


class Backpressure:
    """Makes work wait while too much is held: first come, first served.

    Belongs to one event loop. Two turns begin at a time, so the bound is exceeded by what two turns
    make, at most.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._turns: set[Turn] = set()
        self._beginning = asyncio.Semaphore(_AT_A_TIME)
        self._less = asyncio.Event()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Wait for a turn, which is over when the context is left."""
        await self._beginning.acquire()
        turn = Turn(self._beginning)
        try:
            while sum(other.held for other in self._turns) >= self._bound:
                self._less.clear()
                await self._less.wait()
            self._turns.add(turn)
            yield turn
        finally:
            self._turns.discard(turn)
            self._less.set()
            turn.end()
