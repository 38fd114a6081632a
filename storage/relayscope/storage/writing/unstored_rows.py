"""Rows that are not in the database yet, found by all that they say."""

from dataclasses import replace
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Identifier
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import Table

from relayscope.storage import tables
from relayscope.storage.batch import Batch, Row
from relayscope.storage.tables import SCHEMA
from relayscope.storage.writing.copy import Copy

_OFFERED: Final = Identifier("pg_temp", "offered")
_VIEWS: Final = {
    tables.span.name: "every_span",
    tables.log.name: "every_log",
    tables.metric_point.name: "every_point",
}
# PostgreSQL compares what it would store: a value that is written in two ways is one in there.
_MAKE: Final = SQL(
    "create temporary table offered (like {table},"
    " place integer generated always as identity (start 0 minvalue 0)) on commit drop"
)
_TIMES: Final = SQL("select min({time}), max({time}) from {offered}")
# Equal rows are told apart by how many there are.
_UNSTORED: Final = SQL(
    "with offer as (select place, digest,"
    " row_number() over (partition by digest order by place) as copy"
    " from (select place, md5(row({columns})::text) as digest from {offered}) as each),"
    " stored as (select digest, count(*) as copies"
    " from (select md5(row({columns})::text) as digest from {view}"
    " where {time} between {first} and {last}) as each group by digest)"
    " select place from offer left join stored using (digest)"
    " where copy > coalesce(copies, 0) order by place"
)


def unstored(connection: Connection[Any], batch: Batch) -> Batch:
    """Return a batch with those of its rows that are not stored, whether sealed or not.

    Args:
        connection: Of the owner, in no transaction; nobody seals meanwhile.
        batch: Some rows, for which its digest does not say that they are stored.

    Raises:
        psycopg.Error: PostgreSQL refused.
    """
    return replace(
        batch,
        spans=_unstored_rows(connection, tables.span, batch.spans),
        logs=_unstored_rows(connection, tables.log, batch.logs),
        points=_unstored_rows(connection, tables.metric_point, batch.points),
    )


def _unstored_rows(connection: Connection[Any], table: Table, rows: list[Row]) -> list[Row]:
    if not rows:
        return []
    columns = table.columns.keys()
    names = {
        "columns": SQL(", ").join(map(Identifier, columns)),
        "offered": _OFFERED,
        "time": Identifier(columns[0]),
        "view": Identifier(SCHEMA, _VIEWS[table.name]),
    }
    with connection.transaction(), connection.cursor() as cursor:
        cursor.adapters.register_dumper(bytes, BytesBinaryDumper)
        cursor.execute(_MAKE.format(table=Identifier(SCHEMA, table.name)))
        Copy(table, _OFFERED)(cursor, rows)
        ((first, last),) = cursor.execute(_TIMES.format(**names)).fetchall()
        found = cursor.execute(_UNSTORED.format(first=first, last=last, **names))
        return [rows[place] for (place,) in found]
