"""The page's questions to PostgreSQL: a few connections of its own, which can only read."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, LiteralString, TypeVar

from psycopg import Connection
from sqlalchemy import create_engine

from relayscope.collector.query.database import again, connect_reader, explained
from relayscope.collector.query.errors import StatementTooSlow
from relayscope.collector.query.named_query import in_our_words, rows_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Engine

_T = TypeVar("_T")

CONNECTIONS: Final = 4
"""Questions at a time: each may keep a core of PostgreSQL's busy, which receiving needs, too."""

SECONDS: Final = 20.0
"""Seconds that a statement of a view may take."""

_LEAST_SECONDS: Final = 0.1
"""Seconds that are left to who had to wait for nearly as long as it may take."""

_CANCEL_SECONDS: Final = 5.0
"""Seconds that a cancellation waits for PostgreSQL to hear it."""


class Reader:
    """Asks on behalf of views. Belongs to one event loop."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._room = asyncio.Semaphore(CONNECTIONS)
        self._engine = create_engine(
            "postgresql+psycopg://",
            creator=partial(connect_reader, urls),
            pool_size=CONNECTIONS,
            max_overflow=0,
            # PostgreSQL may have been started anew since a connection was used last.
            pool_pre_ping=True,
        )

    async def rows(
        self,
        statement: LiteralString,
        parameters: Mapping[str, object] | None = None,
        *,
        seconds: float = SECONDS,
    ) -> Sequence[dict[str, Any]]:
        """Return the rows of one of our own statements, by the names of its columns.

        Args:
            statement: As `query` gives it.
            parameters: The values of its parameters.
            seconds: Upper bound of its time, including the wait for its turn among other questions.

        Raises:
            ReadingError: With PostgreSQL's words, and what to do.
        """
        return await self.run(
            partial(rows_of, statement=statement, bound=parameters or {}), seconds=seconds
        )

    async def run(self, ask: Callable[[Connection[Any]], _T], *, seconds: float = SECONDS) -> _T:
        """Call what asks on a connection, in a thread and one transaction.

        If the caller is cancelled, because who wanted to know has left, so is the statement.

        Args:
            ask: Such as `partial(traces.load, ...)`: takes the connection first.
            seconds: Upper bound of the time of each of its statements, and of the wait before them.

        Raises:
            ReadingError: With PostgreSQL's words, and what to do.
        """
        async with self._turn(seconds) as left:
            asking = _Asking(self._engine, left)
            answer = asyncio.ensure_future(asyncio.to_thread(asking, ask))
            answer.add_done_callback(_hear)
            try:
                return await asyncio.shield(answer)
            except asyncio.CancelledError:
                await asyncio.to_thread(asking.cancel)
                await asyncio.wait({answer})
                raise

    @asynccontextmanager
    async def _turn(self, seconds: float) -> AsyncIterator[float]:
        """Wait for a connection, and yield how many of the seconds are left.

        Views ask a dozen questions at once: were each given all of its time when its turn comes,
        somebody would wait three times as long for the last.
        """
        began = monotonic()
        try:
            async with asyncio.timeout(seconds):
                await self._room.acquire()
        except TimeoutError:
            raise StatementTooSlow(
                f"for {seconds:.0f} seconds the page was busy with other questions; ask again, or "
                "for less time"
            ) from None
        try:
            yield max(_LEAST_SECONDS, seconds - (monotonic() - began))
        finally:
            self._room.release()

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def _hear(answer: asyncio.Future[Any]) -> None:
    """Take note of how it ended: asyncio would log an error that nobody has waited for."""
    if not answer.cancelled():
        answer.exception()


class _Asking:
    """One use of a connection, which another thread can cancel."""

    def __init__(self, engine: Engine, seconds: float) -> None:
        self._engine = engine
        self._seconds = seconds
        self._lock = threading.Lock()
        self._connection: Connection[Any] | None = None
        self._is_cancelled = False

    def __call__(self, ask: Callable[[Connection[Any]], _T]) -> _T:
        with self._borrowed() as connection:
            with in_our_words():
                again(connection, timeout=self._seconds)
            with explained(connection):
                return ask(connection)

    def cancel(self) -> None:
        """End the statement that runs, and let none begin."""
        with self._lock:
            self._is_cancelled = True
            if self._connection is not None:
                self._connection.cancel_safe(timeout=_CANCEL_SECONDS)

    @contextmanager
    def _borrowed(self) -> Iterator[Connection[Any]]:
        with in_our_words():
            pooled = self._engine.raw_connection()
        connection = pooled.driver_connection
        try:
            if not isinstance(connection, Connection):
                raise TypeError("the engine's driver is not psycopg")
            with self._lock:
                if self._is_cancelled:
                    raise asyncio.CancelledError
                self._connection = connection
            yield connection
        finally:
            with self._lock:
                self._connection = None
            # The pool rolls the transaction back.
            pooled.close()
