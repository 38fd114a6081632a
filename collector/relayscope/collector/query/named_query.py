"""The rows of one of our own statements, its values bound."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson
import psycopg
from psycopg import errors
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from relayscope.collector.query.errors import DatabaseMissing
from relayscope.collector.query.queries import query
from relayscope.collector.query.statement import Column, Result, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import LiteralString

    from psycopg.adapt import AdaptersMap

_TOO_SLOW: Final = "less time is looked at with --since and --until."


def select(
    connection: psycopg.Connection[Any],
    name: LiteralString,
    bound: Mapping[str, object],
    values: Callable[[AdaptersMap], None],
) -> Result:
    """Run a named statement.

    Args:
        connection: as `database.reading` gives it.
        name: of the statement.
        bound: its parameters.
        values: the form of the values: `values.as_text` or `values.as_json`.

    Raises:
        DatabaseMissing: relayscope never wrote to this database.
        StatementRefused: with PostgreSQL's words.
    """
    cursor = connection.cursor()
    values(cursor.adapters)
    with in_our_words():
        cursor.execute(query(name), bound)
        rows = cursor.fetchall()
    described = cursor.description or ()
    return Result(tuple(Column(one.name, one.type_code) for one in described), iter(rows))


def rows(
    connection: psycopg.Connection[Any], name: LiteralString, bound: Mapping[str, object]
) -> list[dict[str, Any]]:
    """The rows of a named statement by the names of its columns, with Python's values.

    Raises:
        ReadingError: as `select`.
    """
    return rows_of(connection, query(name), bound)


def rows_of(
    connection: psycopg.Connection[Any], statement: LiteralString, bound: Mapping[str, object]
) -> list[dict[str, Any]]:
    """The rows of a statement of ours that is at hand, as `rows`.

    Raises:
        ReadingError: as `select`.
    """
    set_json_loads(orjson.loads, connection)
    with in_our_words(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, bound).fetchall()


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn PostgreSQL's errors into those of `errors`."""
    try:
        yield
    except (
        errors.InvalidSchemaName,
        errors.UndefinedColumn,
        errors.UndefinedFunction,
        errors.UndefinedTable,
    ):
        raise DatabaseMissing(
            "relayscope has no tables of this version in this database: another version made those "
            "that there are, or none did. `relayscope serve`, started again, makes them or says "
            "what to do"
        ) from None
    except psycopg.Error as error:
        raise refused(error, _TOO_SLOW) from None
