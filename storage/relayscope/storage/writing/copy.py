"""Rows into tables, with binary COPY."""

from collections.abc import Iterable
from typing import Any, Final

from psycopg import Cursor
from psycopg.sql import SQL, Identifier
from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Double,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from relayscope.storage.batch import Row
from relayscope.storage.tables import SCHEMA

# How each column is sent. Binary COPY does not transmit types, only bytes, so a type that is
# already in its final form is sent as one that psycopg passes through.
_SENT_AS: Final = {
    BigInteger: "int8",
    Boolean: "bool",
    DateTime: "int8",
    Double: "float8",
    JSONB: "bytea",
    LargeBinary: "bytea",
    Numeric: "numeric",
    SmallInteger: "int2",
    Text: "text",
    Uuid: "bytea",
}


class Copy:
    """COPY into one table, or into another one with the same columns."""

    def __init__(self, table: Table, into: Identifier | None = None) -> None:
        self._statement = SQL("copy {} ({}) from stdin (format binary)").format(
            into or Identifier(SCHEMA, table.name),
            SQL(", ").join(Identifier(column.name) for column in table.columns),
        )
        self._types = tuple(_SENT_AS[type(column.type)] for column in table.columns)

    def __call__(self, cursor: Cursor[Any], rows: Iterable[Row]) -> None:
        """Send all rows.

        Raises:
            psycopg.Error: PostgreSQL refused; none of the rows is in the table.
        """
        with cursor.copy(self._statement) as copy:
            copy.set_types(self._types)
            write_row = copy.write_row
            for row in rows:
                write_row(row)
