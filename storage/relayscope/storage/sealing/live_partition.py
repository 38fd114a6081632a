"""Live partitions: those that are written to, as the catalogue knows them."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier
from sqlalchemy import Table

from relayscope.storage.partitions import TimeRange
from relayscope.storage.tables import PARTITIONED, SCHEMA

_LIST: Final = (
    "select relname as name, %(signal)s as signal, start_time, end_time,"
    " pg_total_relation_size(pg_class.oid) as bytes,"
    " pg_relation_size(pg_class.oid) = 0 as is_empty,"
    " greatest(pg_stat_get_live_tuples(pg_class.oid), reltuples, 0)::bigint as rows,"
    " coalesce(pg_stat_get_tuples_inserted(pg_class.oid), 0) as inserted,"
    " exists (select from relayscope_store.segment where signal = %(signal)s"
    " and state = 'sealed' and from_time = start_time and to_time = end_time) as sealed_before"
    " from pg_inherits join pg_class on pg_class.oid = inhrelid,"
    " lateral relayscope_store.bounds(pg_class.oid) as bounds"
    " where inhparent = %(table)s::regclass order by start_time"
)
_COUNT: Final = SQL("select count(*) from {}")


class LivePartition(NamedTuple):
    """A partition of one of the tables that are written to.

    Attributes:
        name: Of its table.
        signal: The name of the table that it is a partition of.
        start_time: Of what it holds.
        end_time: Of what it holds.
        bytes: With its indexes.
        rows: About how many, as PostgreSQL estimates.
        is_empty: True if it has no rows and no room for any.
        inserted: Rows since PostgreSQL began to count; stands still while nobody writes.
        sealed_before: True if rows of this time are sealed: what is here came later.
    """

    name: str
    signal: str
    start_time: datetime
    end_time: datetime
    bytes: int
    is_empty: bool
    rows: int
    inserted: int
    sealed_before: bool

    @classmethod
    def all(cls, connection: Connection[Any], table: Table) -> "list[LivePartition]":
        """Return those of a table, the earliest first, without DEFAULT."""
        with connection.cursor(row_factory=class_row(cls)) as cursor:
            names = {"table": table.fullname, "signal": table.name}
            return cursor.execute(_LIST, names).fetchall()

    @property
    def time_range(self) -> TimeRange:
        """The time of what it holds."""
        return TimeRange(self.start_time, self.end_time)

    @property
    def table(self) -> Identifier:
        """The partition's name in SQL."""
        return Identifier(SCHEMA, self.name)

    def count_rows(self, connection: Connection[Any]) -> int:
        """Return how many rows there are, by an index where there is one."""
        row = connection.execute(_COUNT.format(self.table)).fetchone()
        assert row is not None  # noqa: S101  # An aggregate gives one.
        return int(row[0])


def live_partitions(connection: Connection[Any]) -> list[LivePartition]:
    """Return the partitions that hold records, those first that end first."""
    found = [
        partition
        for table in PARTITIONED
        for partition in LivePartition.all(connection, table)
        if not partition.is_empty
    ]
    return sorted(found, key=lambda partition: partition.end_time)
