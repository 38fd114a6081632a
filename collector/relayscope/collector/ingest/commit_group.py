"""Concurrent requests share a commit, and each gets its own outcome.

A commit costs about as much as thousands of rows, so one thread writes whatever is waiting as one
transaction; while it commits, the next group gathers by itself. Nothing waits for company.
"""

from __future__ import annotations

import asyncio
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, NamedTuple

from relayscope.storage import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from relayscope.storage import Batch, WriteOutcome

MAX_ROWS: Final = 10_000
"""Rows in one transaction: about 0.2 s of writing, which bounds how long the first one waits."""


def items_in(batch: Batch) -> int:
    """Spans, log records and data points."""
    return len(batch.spans) + len(batch.logs) + len(batch.points)


class _Waiting(NamedTuple):
    batch: Batch
    outcome: asyncio.Future[WriteOutcome]


class CommitGroup:
    """A writer thread and the queue before it.

    `store` belongs to one event loop. `close` writes what is waiting, then ends the thread; nothing
    may be stored after it.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Batch]], list[WriteOutcome]],
        committed: Callable[[float, int], None],
    ) -> None:
        """Start the thread.

        Args:
            write: stores batches in one transaction; raises `StorageUnavailable` with none stored.
            committed: told the seconds and the items of each group.
        """
        self._write = write
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="relayscope-writer", daemon=True)
        self._thread.start()

    async def store(self, batch: Batch) -> WriteOutcome:
        """Store a batch; return its outcome after the commit.

        Raises:
            StorageUnavailable: nothing was stored; retryable.
        """
        outcome: asyncio.Future[WriteOutcome] = self._loop.create_future()
        self._waiting.put(_Waiting(batch, outcome))
        return await outcome

    async def close(self) -> None:
        """Write what is waiting and end the thread."""
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        open_ = True
        while open_:
            group, open_ = self._next_group()
            if group:
                results = self._write_group(group)
                self._loop.call_soon_threadsafe(_resolve, group, results)

    def _next_group(self) -> tuple[list[_Waiting], bool]:
        """Return the batches that wait, at least one, and whether more may come."""
        group: list[_Waiting] = []
        rows = 0
        waiting = self._waiting.get()
        while waiting is not None:
            group.append(waiting)
            rows += items_in(waiting.batch)
            if rows >= MAX_ROWS:
                return group, True
            try:
                waiting = self._waiting.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _write_group(self, group: list[_Waiting]) -> Sequence[WriteOutcome | Exception]:
        started = time.perf_counter()
        batches = [waiting.batch for waiting in group]
        try:
            outcomes = self._write(batches)
        except StorageUnavailable as error:
            return [error] * len(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, every request gets its answer
            if len(group) == 1:
                return [error]
            # Something nobody foresaw; the others must not suffer for the one that brought it.
            return [self._write_group([waiting])[0] for waiting in group]
        self._committed(time.perf_counter() - started, sum(map(items_in, batches)))
        return outcomes


def _resolve(group: list[_Waiting], results: Sequence[WriteOutcome | Exception]) -> None:
    for waiting, result in zip(group, results, strict=True):
        if waiting.outcome.done():  # its request was cancelled
            continue
        if isinstance(result, Exception):
            waiting.outcome.set_exception(result)
        else:
            waiting.outcome.set_result(result)
