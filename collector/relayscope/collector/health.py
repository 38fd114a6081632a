"""Whether what is sent now can be stored now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from relayscope.spool import Backlog

PERIOD: Final = 1.0
"""Seconds between two looks at the database; recovery is seen within it."""

PATIENCE: Final = 2.0
"""Seconds in which a healthy database answers `select 1`."""


class Health:
    """Asks the database now and then. Belongs to one event loop.

    Attributes:
        ready: Whether PostgreSQL answers.
        waiting: What waits for it on disk.
    """

    def __init__(self, engine: Engine) -> None:
        self.ready = False
        self.waiting: Backlog | None = None
        self._engine = engine

    async def watch(self) -> None:
        """Keep `ready` up to date, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(PERIOD)

    async def look(self) -> None:
        """Bring `ready` up to date."""
        asking = asyncio.ensure_future(asyncio.to_thread(self._ask))
        done, _ = await asyncio.wait({asking}, timeout=PATIENCE)
        self.ready = bool(done) and await asking
        await asking  # one that hangs is waited for, so that there is never a second one

    def _ask(self) -> bool:
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("select 1")
        except SQLAlchemyError:
            return False
        return True
