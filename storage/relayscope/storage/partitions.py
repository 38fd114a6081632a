"""A partition for each UTC day, made when it is needed.

Only for days near now: others, which a broken clock or a hostile sender makes up, share the DEFAULT
partition, and so do rows whose partition cannot be made at the moment. No row is ever refused for
its time. When the partition of a day is made, the rows of that day move into it.
"""

import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple, Self

import psycopg
from psycopg import Connection
from sqlalchemy import Table

from relayscope.storage.tables import SCHEMA

_EPOCH: Final = date(2000, 1, 1)
_DAY_MICROSECONDS: Final = 86_400_000_000

# One maker at a time: two who make the same table at once would fail on each other's names.
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('relayscope.partitions', 0))"
# Not to_regclass: that may remember, from before we waited for the lock, that there is none.
_EXISTS: Final = (
    "select exists (select from pg_catalog.pg_tables where schemaname = %s and tablename = %s)"
)
# Attaching needs the DEFAULT partition for itself, while others queue behind it, and reads all of
# it. We would rather leave rows in DEFAULT than let anybody wait for a long query or a large move.
_LIMITS: Final = "set local lock_timeout = '500ms'; set local statement_timeout = '2s'"
# Made by a function of the owner's, because whoever writes may do nothing but that. It moves rows
# of that time out of DEFAULT.
_MAKE: Final = "select relayscope_store.make_partition(%s, %s, %s, %s)"

# How long a day stays in DEFAULT after its partition could not be made; doubled each time.
_FIRST_RETRY_SECONDS: Final = 30.0
_LAST_RETRY_SECONDS: Final = 3600.0


def today() -> int:
    """Return the current UTC day, in the count of `days`."""
    return (datetime.now(UTC).date() - _EPOCH).days


def days(rows: Iterable[tuple[Any, ...]]) -> set[int]:
    """Return the UTC days, counted from 2000-01-01, that rows fall on by their first column."""
    return {row[0] // _DAY_MICROSECONDS for row in rows}


class _Retry(NamedTuple):
    """When to try again to make a partition, on the monotonic clock."""

    at: float
    delay: float

    @classmethod
    def after(cls, earlier: Self | None) -> Self:
        delay = (
            _FIRST_RETRY_SECONDS if earlier is None else min(2 * earlier.delay, _LAST_RETRY_SECONDS)
        )
        return cls(time.monotonic() + delay, delay)


class Partitions:
    """Knows which days of one table have a partition, and makes those that are missing."""

    def __init__(self, table: Table, *, past_days: int = 31, future_days: int = 2) -> None:
        """Know of none yet.

        Args:
            table: One of `relayscope.storage.tables.PARTITIONED`.
            past_days: Older days have no partition of their own.
            future_days: Nor have days further ahead.
        """
        self._table = table
        self._past_days = past_days
        self._future_days = future_days
        self._known: set[int] = set()
        self._retries: dict[int, _Retry] = {}

    def forget(self) -> None:
        """Look again which there are: it may be another database now."""
        self._known.clear()

    def ensure(self, connection: Connection[Any], days: set[int]) -> None:
        """Make the partitions that these days need and do not have, as far as possible.

        Args:
            connection: Not in a transaction; each partition gets its own.
            days: In the count of `days`.

        Raises:
            psycopg.Error: The connection broke.
        """
        missing = days - self._known
        if not missing:
            return
        now = today()
        near = range(now - self._past_days, now + self._future_days + 1)
        for day in sorted(missing.intersection(near)):
            retry = self._retries.get(day)
            if retry is not None and time.monotonic() < retry.at:
                continue
            try:
                self._make(connection, day)
            except psycopg.Error:
                if connection.closed:
                    raise
                # Too busy, too large, no permission: rows have a place without it.
                self._retries[day] = _Retry.after(retry)
            else:
                self._known.add(day)
                self._retries.pop(day, None)

    def _make(self, connection: Connection[Any], day: int) -> None:
        first = _EPOCH + timedelta(days=day)
        name = f"{self._table.name}_{first:%Y_%m_%d}"
        with connection.transaction():
            if _exists(connection, name):
                return
        start = datetime.combine(first, datetime.min.time(), UTC)
        with connection.transaction():
            connection.execute(_LIMITS)
            connection.execute(_LOCK)
            if not _exists(connection, name):
                connection.execute(
                    _MAKE, (self._table.name, name, start, start + timedelta(days=1))
                )


def _exists(connection: Connection[Any], name: str) -> bool:
    found = connection.execute(_EXISTS, (SCHEMA, name)).fetchone()
    return found is not None and bool(found[0])
