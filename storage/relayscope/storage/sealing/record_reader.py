"""The rows of a segment or a partition again, as they were written."""

from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Composed, Identifier

from relayscope.storage.sealing.live_partition import LivePartition
from relayscope.storage.sealing.segment import Segment
from relayscope.storage.tables import log, metadata

_AT_ONCE: Final = 2_000

_ROWS: Final = SQL("select {columns} from {table} order by {time}")
_PACKED_ROWS: Final = SQL(
    "select {columns} from {table} as r join relayscope_store.log_shape as s on s.id = r.shape"
    " join {chunks} as c on c.chunk = r.place >> 8 order by r.time"
)
_OF_ROW: Final = ("time", "time_nano", "trace_id", "severity_number", "resource_id")
_OF_SHAPE: Final = ("event_name",)


def read_records(
    connection: Connection[Any], what: Segment | LivePartition
) -> Iterator[dict[str, Any]]:
    """Yield the rows in the order of time, each by the names of the columns of its table.

    Args:
        connection: Of the owner, in a transaction.
        what: The segment or partition that holds them.

    Raises:
        psycopg.Error: PostgreSQL refused.
    """
    with connection.cursor("records", row_factory=dict_row) as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(_statement(what))
        yield from cursor


def read_dictionary(connection: Connection[Any], name: str) -> dict[object, dict[str, Any]]:
    """Return the rows of `resource` or `scope`, by id."""
    table = metadata.tables[f"relayscope_store.{name}"]
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(SQL("select * from {}").format(Identifier("relayscope_store", table.name)))
        return {row["id"]: row for row in cursor}


def _statement(what: Segment | LivePartition) -> Composed:
    table = metadata.tables[f"relayscope_store.{what.signal}"]
    names = table.columns.keys()
    if isinstance(what, Segment) and what.signal == log.name:
        return _PACKED_ROWS.format(
            columns=SQL(", ").join(map(_packed, names)),
            table=what.tables[0],
            chunks=what.tables[1],
        )
    source = what.tables[0] if isinstance(what, Segment) else what.table
    return _ROWS.format(
        columns=SQL(", ").join(map(Identifier, names)), table=source, time=Identifier(names[0])
    )


def _packed(name: str) -> Composable:
    if name in _OF_ROW:
        return Identifier("r", name)
    if name in _OF_SHAPE:
        return Identifier("s", name)
    if name == "attributes":
        return SQL("c.attributes -> (r.place & 255) as attributes")
    return SQL("{}[(r.place & 255) + 1] as {}").format(Identifier("c", name), Identifier(name))
