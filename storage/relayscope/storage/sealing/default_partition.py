"""Records in the default partition whose day is past get a partition of their own.

They came too late for one, or while it could not be made. Then they are sealed and removed as
others.
"""

from datetime import UTC, datetime
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Identifier
from sqlalchemy import Table

from relayscope.storage.partitions import Partitions
from relayscope.storage.sealing.segment import TIME
from relayscope.storage.tables import PARTITIONED, SCHEMA

_DAYS_AT_ONCE: Final = 31
"""Partitions that are made in one round, the earliest first: about a second's work."""

_MOST_PARTITIONS: Final = 1_000
"""Upper bound of a table's partitions, so that made-up times add no more: planning takes longer
with each. Empty ones are dropped (`drop_unused_tables`), so that moving goes on."""

_DAYS: Final = SQL(
    "select distinct floor(extract(epoch from {time} - '2000-01-01Z') / 86400)::integer as day"
    " from {default} where {time} < date_trunc('day', now(), 'UTC') order by 1 limit {limit}"
)
_OLDEST: Final = SQL("select min({time}) from {default}")
_COUNT: Final = "select count(*) from pg_inherits where inhparent = %s::regclass"
_FIRST_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC)


def move_default_rows(connection: Connection[Any]) -> None:
    """Move records of past days from DEFAULT into partitions, as far as possible now.

    Args:
        connection: Of the owner, in no transaction.

    Raises:
        psycopg.Error: The connection broke.
    """
    for table in PARTITIONED:
        days = _days(connection, table)
        if days:
            past = (datetime.now(UTC) - _FIRST_DAY).days
            Partitions(table, past_days=past).ensure(connection, days)


def oldest_default_time(connection: Connection[Any]) -> datetime | None:
    """Return the time of the oldest record that is in DEFAULT; None if there are none."""
    times = []
    for table in PARTITIONED:
        names = {"time": Identifier(TIME[table.name]), "default": _default(table)}
        times += [time for (time,) in connection.execute(_OLDEST.format(**names)) if time]
    return min(times, default=None)


def _days(connection: Connection[Any], table: Table) -> set[int]:
    """Return the numbers of days that have such records, as many as there is room for."""
    ((partitions,),) = connection.execute(_COUNT, (table.fullname,)).fetchall()
    names = {"time": Identifier(TIME[table.name]), "default": _default(table)}
    limit = max(0, min(_DAYS_AT_ONCE, _MOST_PARTITIONS - partitions))
    return {day for (day,) in connection.execute(_DAYS.format(**names, limit=limit))}


def _default(table: Table) -> Identifier:
    return Identifier(SCHEMA, f"{table.name}_default")
