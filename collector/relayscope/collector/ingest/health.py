"""Health of the database: requests can be stored at once, or wait on disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from relayscope.collector.ingest.outage import Outage
    from relayscope.spool import Backlog

PERIOD: Final = 1.0
"""Seconds between two looks at the database; recovery is seen within it."""

PATIENCE: Final = 2.0
"""Seconds in which a healthy database answers `select 1`."""


class Health:
    """Asks the database now and then. Belongs to one event loop."""

    def __init__(self, engine: Engine, outage: Outage) -> None:
        self._answers = False
        self._engine = engine
        self._outage = outage

    @property
    def ready(self) -> bool:
        """True while PostgreSQL takes requests."""
        return self._answers and not self._outage.is_away

    @property
    def waiting(self) -> Backlog:
        """Requests that wait on disk for PostgreSQL."""
        return self._outage.backlog()

    async def watch(self) -> None:
        """Keep an eye on the database, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(PERIOD)

    async def look(self) -> None:
        """Ask the database once."""
        asking = asyncio.ensure_future(asyncio.to_thread(self._ask))
        done, _ = await asyncio.wait({asking}, timeout=PATIENCE)
        self._answers = bool(done) and await asking
        await asking  # one that hangs is waited for, so that there is never a second one

    def _ask(self) -> bool:
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("select 1")
        except SQLAlchemyError:
            return False
        return True
