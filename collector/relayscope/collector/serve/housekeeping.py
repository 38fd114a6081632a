"""What has to be done now and then, by one process for all workers."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from relayscope.storage import StorageError, Writer, create_engine, forget_figures

if TYPE_CHECKING:
    from relayscope.collector.settings import Settings

_logger = logging.getLogger(__name__)

_PERIOD: Final = timedelta(minutes=5)

_SILENCE: Final = timedelta(days=7)
"""How long the last word of an ended process about itself is kept."""


async def keep_house(settings: Settings, database_url: str) -> None:
    """Forget what has expired, for ever."""
    engine = create_engine(database_url)
    writer = Writer(engine)

    def forget() -> None:
        requests = writer.forget_requests(settings.duplicate_window)
        figures = forget_figures(engine, _SILENCE)
        if requests or figures:
            _logger.info("forgot", extra={"requests": requests, "figures": figures})

    try:
        while True:
            try:
                await asyncio.to_thread(forget)
            except (StorageError, SQLAlchemyError) as error:
                _logger.warning("housekeeping failed", extra={"error": type(error).__name__})
            await asyncio.sleep(_PERIOD.total_seconds())
    finally:
        writer.close()
        engine.dispose()
