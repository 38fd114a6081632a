"""Periodic tasks, done by one process for all workers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import psycopg
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from relayscope.collector.maintenance.maintenance_round import MaintenanceRound
from relayscope.collector.maintenance.reader_bounds import missing_bounds
from relayscope.storage import (
    StorageError,
    Writer,
    create_engine,
    end_long_reads,
    forget_history,
    forget_samples,
    keep_history,
)

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings

_logger = logging.getLogger(__name__)

_PERIOD: Final = timedelta(minutes=5)

_SILENCE: Final = timedelta(days=7)
"""Time for which the last samples of an ended process are kept."""


_HISTORY: Final = timedelta(days=3)
"""Time for which it is kept how figures were: 26,000 times of 0.7 kB each."""

_PERIOD_OF_HISTORY: Final = timedelta(seconds=10)
"""As often as collectors report them."""

_COUNTS: Final = (
    "relayscope_items_total",
    "relayscope_requests_total",
    "relayscope_sanitizer_hits_total",
    "relayscope_commit_seconds_bucket",
    "relayscope_outage_lost_requests_total",
)
_STATES: Final = ("relayscope_outage_waiting_bytes", "relayscope_in_flight_bytes")
"""The figures that are kept: those that the page's Pipeline plots."""

LONGEST_READ: Final = timedelta(minutes=10)
"""Ten times what the commands allow themselves; `query/database.py` lets nobody ask for more."""

_PERIOD_OF_READS: Final = timedelta(seconds=10)

_PERIOD_OF_UPKEEP: Final = timedelta(minutes=1)
"""Two looks, and a partition in which nothing has happened between them is sealed."""


async def keep_house(settings: Settings, database_url: str) -> None:
    """Forget what has expired, seal what is past and remove what is old, for ever."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_forget(settings, database_url))
        tasks.create_task(_look_after(settings, database_url))
        tasks.create_task(_bound_reads(database_url))
        tasks.create_task(_keep_history(database_url))


async def _bound_reads(database_url: str) -> None:
    """End what a reader has asked for too long ago, whatever time it has allowed itself.

    A reader who may fill the disk is told of once, at the start.
    """
    engine = create_engine(database_url)

    def tell() -> None:
        for missing in missing_bounds(engine):
            _logger.warning(missing.warning, extra={"role": missing.role})

    def bound() -> None:
        if ended := end_long_reads(engine, LONGEST_READ):
            _logger.warning("ended reads that took too long", extra={"sessions": ended})

    try:
        with contextlib.suppress(SQLAlchemyError):  # Health tells of a database that is away.
            await asyncio.to_thread(tell)
        while True:
            await asyncio.sleep(_PERIOD_OF_READS.total_seconds())
            try:
                await asyncio.to_thread(bound)
            except ProgrammingError:
                _logger.warning(
                    "readers' statements are bounded by their own settings only: nobody may end "
                    "them; run `relayscope db init`, or grant the reader's role to the owner of "
                    "relayscope's tables"
                )
                return
            except SQLAlchemyError:
                continue  # Health tells of a database that is away.
    finally:
        engine.dispose()


async def _forget(settings: Settings, database_url: str) -> None:
    engine = create_engine(database_url)
    writer = Writer(engine, partition_width=settings.partition_width)

    def forget() -> None:
        try:
            writer.prepare_partitions()
            requests = writer.forget_requests(settings.duplicate_window)
        finally:
            # PostgreSQL may be started anew until the next time.
            writer.close()
        samples = forget_samples(engine, _SILENCE)
        forget_history(engine, _HISTORY)
        if requests or samples:
            _logger.info("forgot", extra={"requests": requests, "samples": samples})

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


async def _keep_history(database_url: str) -> None:
    """Keep what collectors say of themselves, as it is now and then."""
    engine = create_engine(database_url)
    try:
        while True:
            # Of a time in which the database is away nothing is kept; health tells of it.
            with contextlib.suppress(SQLAlchemyError):
                await asyncio.to_thread(keep_history, engine, _COUNTS, _STATES)
            await asyncio.sleep(_PERIOD_OF_HISTORY.total_seconds())
    finally:
        engine.dispose()


async def _look_after(settings: Settings, database_url: str) -> None:
    """Apart from the other, because sealing a day takes minutes."""
    of_upkeep = settings.upkeep_database_url
    engine = create_engine(of_upkeep.get_secret_value() if of_upkeep else database_url)
    do = MaintenanceRound(engine, settings)
    running: asyncio.Task[None] | None = None
    try:
        while True:
            running = asyncio.create_task(asyncio.to_thread(do))
            try:
                await asyncio.shield(running)
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue):
                _logger.warning(
                    "nothing is sealed or removed: the user of database_url may not; "
                    "set upkeep_database_url"
                )
                return
            except (StorageError, SQLAlchemyError, psycopg.Error) as error:
                _logger.warning("upkeep failed", extra={"error": type(error).__name__})
            await asyncio.sleep(_PERIOD_OF_UPKEEP.total_seconds())
    finally:
        if running is not None and not running.done():
            do.interrupt()
            await asyncio.wait({running})
        engine.dispose()
