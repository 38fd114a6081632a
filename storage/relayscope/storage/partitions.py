"""A partition for each range of time, a UTC day unless told otherwise, made when it is needed.

Only for times near now: others, which a broken clock or a hostile sender makes up, share the
DEFAULT partition, and so do rows whose partition cannot be made at the moment. No row is ever
refused for its time. When a partition is made, the rows of its time move into it.

A range is counted from 2000-01-01 in widths. The width may change over the life of a database:
what is there stays, and a new partition takes what is free in its range.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Self

import psycopg
from psycopg import Connection
from sqlalchemy import Table

DAY: Final = timedelta(days=1)

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

# One maker at a time: two who make the same table at once would fail on each other's names.
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('relayscope.partitions', 0))"
# The partitions of a table that hold any of a range, by their catalogued bounds. The lock
# is waited for before, so that what others have made meanwhile is seen.
_TAKEN: Final = (
    "select bounds.start_time, bounds.end_time"
    " from pg_inherits join pg_class on pg_class.oid = inhrelid,"
    " lateral relayscope_store.bounds(pg_class.oid) as bounds"
    " where inhparent = %(table)s::regclass"
    " and bounds.start_time < %(end)s and bounds.end_time > %(start)s order by 1"
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


class TimeRange(NamedTuple):
    """The time that a partition holds, from its beginning until before its end."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        """Return its beginning, as it is part of the name of a table."""
        start = self.start.astimezone(UTC)
        return f"{start:%Y_%m_%d}" + (f"_{start:%H%M}" if start.hour or start.minute else "")


class _Retry(NamedTuple):
    """Time of the next attempt to make a partition, on the monotonic clock."""

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

    def __init__(
        self, table: Table, *, width: timedelta = DAY, past_days: int = 31, future_days: int = 2
    ) -> None:
        """Know of none yet.

        Args:
            table: One of `relayscope.storage.tables.PARTITIONED`.
            width: Of new partitions, in whole minutes.
            past_days: Age in days beyond which rows get no partition of their own.
            future_days: Nor has what is further ahead.
        """
        self._table = table
        self._width = width
        self._width_microseconds = width // _MICROSECOND
        self._past = timedelta(days=past_days)
        self._future = timedelta(days=future_days + 1)
        self._known: set[int] = set()
        self._retries: dict[int, _Retry] = {}

    def forget(self) -> None:
        """Look again which there are: it may be another database now."""
        self._known.clear()

    def numbers(self, rows: Iterable[tuple[Any, ...]]) -> set[int]:
        """Return the numbers of the ranges that rows are in by their first column."""
        width = self._width_microseconds
        return {row[0] // width for row in rows}

    def number(self, time: datetime) -> int:
        """Return the number of the range that a time is in."""
        return (time - _EPOCH) // self._width

    def time_range(self, number: int) -> TimeRange:
        """Return what a number stands for."""
        start = _EPOCH + number * self._width
        return TimeRange(start, start + self._width)

    def ensure(self, connection: Connection[Any], numbers: set[int]) -> None:
        """Make the partitions that these ranges need and do not have, as far as possible.

        Args:
            connection: Not in a transaction; each partition gets its own.
            numbers: As from `numbers`.

        Raises:
            psycopg.Error: The connection broke.
        """
        missing = numbers - self._known
        if not missing:
            return
        now = datetime.now(UTC)
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        near = range(
            self.number(today - self._past), self.number(today + self._future - _MICROSECOND) + 1
        )
        for number in sorted(missing.intersection(near)):
            retry = self._retries.get(number)
            if retry is not None and time.monotonic() < retry.at:
                continue
            try:
                self._make(connection, self.time_range(number))
            except psycopg.Error:
                if connection.closed:
                    raise
                # Too busy, too large, no permission: rows have a place without it.
                self._retries[number] = _Retry.after(retry)
            else:
                self._known.add(number)
                self._retries.pop(number, None)

    def _make(self, connection: Connection[Any], time_range: TimeRange) -> None:
        with connection.transaction():
            if not self._free(connection, time_range):
                return
        with connection.transaction():
            connection.execute(_LIMITS)
            connection.execute(_LOCK)
            for free in self._free(connection, time_range):
                name = f"{self._table.name}_{free}"
                connection.execute(_MAKE, (self._table.name, name, free.start, free.end))

    def _free(self, connection: Connection[Any], time_range: TimeRange) -> list[TimeRange]:
        """Return the parts of a range that no partition holds, in order."""
        taken = connection.execute(_TAKEN, {"table": self._table.fullname, **time_range._asdict()})
        free = []
        start = time_range.start
        for taken_start, taken_end in taken:
            if start < taken_start:
                free.append(TimeRange(start, taken_start.astimezone(UTC)))
            start = max(start, taken_end.astimezone(UTC))
        if start < time_range.end:
            free.append(TimeRange(start, time_range.end))
        return free
