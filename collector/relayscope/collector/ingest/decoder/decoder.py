"""Decodes requests of many senders in turns."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from relayscope.collector.ingest.commit_group import items_in
from relayscope.collector.ingest.decoder.fair_queue import FairQueue, Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from relayscope.collector.ingest.decoder.open_requests import Job, Rows, Slice

_SLICE: Final = 0.005
"""Seconds after which another request has its turn. Changing costs 0.1 ms."""

_AT_A_TIME: Final = 2
"""Slices that are given out: one is at work, the next lies ready. With one at a time, the thread
that decodes waited a quarter of its time for the event loop to bring the next."""

_DECODED_ITEMS: Final = 5_000
"""Items that are decoded and not stored yet, beyond which decoding waits. A decoded record takes
2 to 3 kB (8 attributes, 420 B body), its request 0.7 kB: requests wait as they came. 15,000 store
no more per second, and make decoding 10 % dearer because they do not fit into the caches."""


class DecodeExecutor(Protocol):
    """A thread or a process in which requests are decoded."""

    async def go_on(self, key: int, job: Job | None, seconds: float) -> Slice:
        """Decode a request for so long; it is given the first time."""

    async def close(self) -> None:
        """End, with nothing under way."""


class _Work(NamedTuple):
    key: int
    job: Job
    rows: asyncio.Future[Rows]


class Decoder:
    """Decodes in one place, and not faster than what is decoded is stored. Belongs to one loop."""

    def __init__(self, executor: DecodeExecutor) -> None:
        """Start to take turns; nothing is decoded yet."""
        self._executor = executor
        self._queue: FairQueue[_Work] = FairQueue(_AT_A_TIME)
        self._keys = itertools.count()
        self._held = 0
        self._something = asyncio.Condition()
        self._runners = [asyncio.create_task(self._run()) for _ in range(_AT_A_TIME)]

    @property
    def waits_for_storage(self) -> bool:
        """True if so much is decoded and not stored that nothing more is decoded."""
        return self._held >= _DECODED_ITEMS

    @asynccontextmanager
    async def decoded(self, sender: str, job: Job) -> AsyncIterator[Rows]:
        """The rows of a request, which count as held until the context is left.

        Raises:
            RequestRefused: the request cannot be decoded.
        """
        work = _Work(next(self._keys), job, asyncio.get_running_loop().create_future())
        async with self._something:
            self._queue.add(sender, work)
            self._something.notify()
        rows = await work.rows
        held = items_in(rows.batch)
        try:
            yield rows
        finally:
            async with self._something:
                self._held -= held
                self._something.notify_all()

    async def close(self) -> None:
        """End; nothing may be under way."""
        for runner in self._runners:
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)
        await self._executor.close()

    async def _run(self) -> None:
        while True:
            async with self._something:
                await self._something.wait_for(lambda: self._queue and not self.waits_for_storage)
                turn = self._queue.take()
            over = await self._go_on(turn)
            del turn  # or its request is kept until the next one comes
            async with self._something:
                if not over:
                    self._something.notify()

    async def _go_on(self, turn: Turn[_Work]) -> bool:
        """Give a request a slice of time, and say whether it needs no more."""
        key, job, rows = turn.work
        seconds = 0.0
        over = True
        try:
            result = await self._executor.go_on(key, None if turn.seconds else job, _SLICE)
            seconds = result.seconds
            if result.rows is not None:
                self._held += items_in(result.rows.batch)
                rows.set_result(result.rows)
            else:
                over = False
        except Exception as error:  # noqa: BLE001 - whatever it is, the request gets its answer
            rows.set_exception(error)
        finally:
            self._queue.had(turn, seconds, over=over)
        return over
