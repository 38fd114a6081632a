"""Rows from a partition that is written to into the tables of a segment."""

from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Composable, Composed, Identifier

from relayscope.storage.partitions import Stretch
from relayscope.storage.sealing.segment import PARENTS, Segment
from relayscope.storage.tables import SCHEMA, log

CHUNK_ROWS: Final = 64
"""Log records in a chunk. Measured with bodies of 420 B, see tests/bench/results/sealing-*.md."""

_CHUNK_BYTES: Final = 262_144
"""Where a chunk ends earlier: all of it is read to show one of its records, and PostgreSQL's limit
for a value is far away."""

_COLUMNS: Final = (
    "select attname, format_type(atttypid, null) from pg_attribute"
    " where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum"
)
_COPY: Final = SQL(
    "insert into {rows} (segment, {columns}) select {segment}, {columns} from {source}"
    " where {time} >= {start} and {time} < {end} and {condition} order by {time}"
)
# Neighbours in time share their texts: a message is recorded where it is sent and where it is
# received, and a relay sends it on.
_PACK: Final = SQL(
    """
    with picked as materialized (
        select *, row_number() over in_order as n,
            sum(coalesce(octet_length(body), 0) + coalesce(pg_column_size(body_json), 0)
                + pg_column_size(attributes)) over in_order / {chunk_bytes} as volume
        from {source}
        where time >= {start} and time < {end} and {condition}
        window in_order as (
            order by time, time_nano rows between unbounded preceding and current row
        )
    ),
    placed as (
        select *, {first} - 1 + dense_rank() over (order by (n - 1) / {chunk_rows}, volume)
            as chunk,
            row_number() over (partition by (n - 1) / {chunk_rows}, volume order by n)
            as position
        from picked
    ),
    packed as (
        insert into {chunks} (segment, chunk, first_time, last_time, attributes, {packed})
        select {segment}, chunk, min(time), max(time), jsonb_agg(attributes order by position),
            {aggregates}
        from placed group by chunk order by chunk
    ),
    narrow as (
        insert into {rows} (segment, chunk, position, {kept})
        select {segment}, chunk, position, {kept} from placed order by n
        returning chunk
    )
    select count(*), coalesce(max(chunk), {first} - 1) from narrow
    """
)
# What no record of a chunk has takes no room.
_AGGREGATE: Final = SQL(
    "case when count({column}) > 0 then array_agg({column} order by position) end"
)


class Filling:
    """One segment's share of a partition, copied piece by piece."""

    def __init__(
        self,
        connection: Connection[Any],
        segment: Segment,
        source: Identifier,
        condition: Composable,
    ) -> None:
        """Prepare; nothing is copied yet.

        Args:
            connection: Used for all of it.
            segment: Where the rows go; its tables have no indexes yet.
            source: The partition that they are in.
            condition: What is true of those that belong to this segment.
        """
        self.segment = segment
        self.rows = 0
        self._connection = connection
        self._chunks = 0
        self._names: dict[str, Composable] = {
            "rows": segment.tables[0],
            "source": source,
            "segment": SQL("{}").format(segment.id),
            "condition": condition,
        }
        packs = segment.signal == log.name
        kept = _columns(connection, PARENTS[segment.signal][0])
        if packs:
            self._names |= _packing(connection, segment, kept)
        self._statement = _PACK if packs else _COPY
        own = ("segment", "chunk", "position")
        names = [Identifier(name) for name in kept if name not in own]
        self._names |= {"columns": SQL(", ").join(names), "kept": SQL(", ").join(names)}

    def copy(self, stretch: Stretch) -> None:
        """Copy the rows of a stretch of time, in a transaction of its own."""
        names = self._names | {
            "time": self._time,
            "start": SQL("{}").format(stretch.start),
            "end": SQL("{}").format(stretch.end),
            "first": SQL("{}").format(self._chunks),
        }
        with self._connection.transaction():
            cursor = self._connection.execute(self._statement.format(**names))
            if cursor.description is None:
                self.rows += cursor.rowcount
            else:
                row = cursor.fetchone()
                assert row is not None  # noqa: S101  # An aggregate gives one.
                self.rows += row[0]
                self._chunks = row[1] + 1

    @property
    def _time(self) -> Identifier:
        return Identifier("start_time" if self.segment.signal == "span" else "time")


def _packing(
    connection: Connection[Any], segment: Segment, kept: dict[str, str]
) -> dict[str, Composable]:
    own = ("segment", "chunk", "first_time", "last_time", "attributes")
    packed = [name for name in _columns(connection, PARENTS[segment.signal][1]) if name not in own]
    assert not kept.keys() & set(packed)  # noqa: S101  # A column is in one place.
    return {
        "chunks": segment.tables[1],
        "chunk_rows": SQL("{}").format(CHUNK_ROWS),
        "chunk_bytes": SQL("{}").format(_CHUNK_BYTES),
        "packed": SQL(", ").join(map(Identifier, packed)),
        "aggregates": _joined([_AGGREGATE.format(column=Identifier(name)) for name in packed]),
    }


def _joined(parts: list[Composed]) -> Composed:
    return SQL(", ").join(parts)


def _columns(connection: Connection[Any], table: str) -> dict[str, str]:
    return dict(connection.execute(_COLUMNS, (f"{SCHEMA}.{table}",)).fetchall())
