"""Rows from a partition that is written to into the tables of a segment."""

from collections.abc import Iterable
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from relayscope.storage.partitions import TimeRange
from relayscope.storage.sealing.segment import PARENTS, TIME, Segment
from relayscope.storage.tables import SCHEMA, log

CHUNK_ROWS: Final = 256
"""Log records in a chunk; the views know it, too. tests/bench/results/sealing-2026-11-25.md has the
measurement that chose it."""

_CHUNK_BYTES: Final = 262_144
"""Size at which a chunk ends earlier: all of it is read to show one of its records, and
PostgreSQL's limit for a value is far away."""

_OURS: Final = (
    ("segment", "place", "shape"),
    ("segment", "chunk", "first_time", "last_time", "attributes"),
)
"""Columns of the tables of a segment that are not simply copied."""

_SHAPE: Final = (
    "event_name",
    "peer",
    "direction",
    "kind",
    "method",
    "tool",
    "error_code",
    "odd",
    "ended",
)

_COLUMNS: Final = (
    "select attname from pg_attribute"
    " where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum"
)
_COPY: Final = SQL(
    "insert into {rows} (segment, {kept}) select {segment}, {kept} from {source}"
    " where {time} >= {start} and {time} < {end} and {condition} order by {time}"
)
# What log records are filtered by and what is a column of its own only once they are sealed; until
# then functions of these names read it out of the attributes (`columns.sql`).
_DERIVED: Final = (
    "peer",
    "direction",
    "kind",
    "method",
    "tool",
    "request_id",
    "error_code",
    "channel",
    "sequence",
    "size",
    "odd",
    "ended",
)
_DERIVE: Final = SQL("{function}(attributes) as {column}")
# Neighbours in time share their texts: a message is recorded where it is sent and where it is
# received, and a relay sends it on.
_PICK: Final = SQL(
    """
    create temporary table picked on commit drop as
    select *, {first} - 1 + dense_rank() over (order by (n - 1) / {chunk_rows}, volume) as chunk,
        row_number() over (partition by (n - 1) / {chunk_rows}, volume order by n) as position,
        substr(sha256(convert_to(row({shape})::text, 'UTF8')), 1, 16) as digest
    from (
        select *, {derived}, row_number() over in_order as n,
            sum(coalesce(octet_length(body), 0) + coalesce(pg_column_size(body_json), 0)
                + pg_column_size(attributes)) over in_order / {chunk_bytes} as volume
        from {source}
        where {time} >= {start} and {time} < {end} and {condition}
        window in_order as (
            order by time, time_nano rows between unbounded preceding and current row
        )
    ) as numbered
    """
)
_SHAPES: Final = SQL(
    """
    insert into {shapes} as known (digest, last_segment, {shape})
    select distinct on (digest) digest, {segment}, {shape} from picked order by digest
    on conflict (digest) do update set last_segment = {segment}
    where known.last_segment < {segment}
    """
)
_PACK: Final = SQL(
    """
    insert into {chunks} (segment, chunk, first_time, last_time, attributes, {packed})
    select {segment}, chunk, min(time), max(time), jsonb_agg(attributes order by position),
        {aggregates}
    from picked group by chunk order by chunk
    """
)
_PLACE: Final = SQL(
    """
    insert into {rows} (segment, place, shape, {kept})
    select {segment}, chunk * {chunk_rows} + position - 1, known.id, {kept}
    from picked join {shapes} as known using (digest) order by n
    """
)
_LAST_CHUNK: Final = "select coalesce(max(chunk), 0) from picked"
# What no record of a chunk has takes no room.
_AGGREGATE: Final = SQL(
    "case when count({column}) > 0 then array_agg({column} order by position) end"
)


def segment_builder(
    connection: Connection[Any], segment: Segment, source: Identifier, condition: Composable
) -> "SegmentBuilder":
    """Return the builder that copies one segment's share of a partition.

    Args:
        connection: Used for all of it.
        segment: The segment to fill; its tables have no indexes yet.
        source: The partition that they are in.
        condition: The condition that holds for the rows of this segment.
    """
    kind = _Packing if segment.signal == log.name else SegmentBuilder
    return kind(connection, segment, source, condition)


class SegmentBuilder:
    """One segment's share of a partition, copied piece by piece, row by row.

    Attributes:
        segment: The segment that is filled.
        rows: Number of rows that have been copied.
    """

    def __init__(
        self,
        connection: Connection[Any],
        segment: Segment,
        source: Identifier,
        condition: Composable,
    ) -> None:
        self.segment = segment
        self.rows = 0
        self._connection = connection
        self._names: dict[str, Composable] = {
            "source": source,
            "condition": condition,
            "time": Identifier(TIME[segment.signal]),
            "segment": Literal(segment.id),
            "rows": segment.tables[0],
            "kept": _list(_columns(connection, segment, 0)),
        }

    def copy(self, time_range: TimeRange) -> None:
        """Copy the rows of a range of time, in a transaction of its own."""
        times = {"start": Literal(time_range.start), "end": Literal(time_range.end)}
        with self._connection.transaction():
            self._copy(self._names | times)

    def _copy(self, names: dict[str, Composable]) -> None:
        self.rows += self._connection.execute(_COPY.format(**names)).rowcount


class _Packing(SegmentBuilder):
    """Copies log records into a segment, and packs them."""

    def __init__(
        self,
        connection: Connection[Any],
        segment: Segment,
        source: Identifier,
        condition: Composable,
    ) -> None:
        super().__init__(connection, segment, source, condition)
        self._chunks = 0
        packed = _columns(connection, segment, 1)
        self._names |= {
            "chunks": segment.tables[1],
            "shapes": Identifier(SCHEMA, "log_shape"),
            "shape": _list(_SHAPE),
            "derived": SQL(", ").join(
                _DERIVE.format(function=Identifier(SCHEMA, f"{name}_of"), column=Identifier(name))
                for name in _DERIVED
            ),
            "chunk_rows": Literal(CHUNK_ROWS),
            "chunk_bytes": Literal(_CHUNK_BYTES),
            "packed": _list(packed),
            "aggregates": SQL(", ").join(
                _AGGREGATE.format(column=Identifier(name)) for name in packed
            ),
        }

    def _copy(self, names: dict[str, Composable]) -> None:
        execute = self._connection.execute
        execute(_PICK.format(**names, first=Literal(self._chunks + 1)))
        execute(_SHAPES.format(**names))
        execute(_PACK.format(**names))
        self.rows += execute(_PLACE.format(**names)).rowcount
        ((last,),) = execute(_LAST_CHUNK).fetchall()
        self._chunks = max(self._chunks, last)


def _columns(connection: Connection[Any], segment: Segment, number: int) -> list[str]:
    """The columns of one of its tables that hold what is in the records."""
    table = f"{SCHEMA}.{PARENTS[segment.signal][number]}"
    names = [name for (name,) in connection.execute(_COLUMNS, (table,))]
    return [name for name in names if name not in _OURS[number]]


def _list(names: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))
