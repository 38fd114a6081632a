"""One statement of the user's own, run where it can only read, its rows as they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import errors
from psycopg.pq import ExecStatus

from relayscope.collector.query.errors import (
    DatabaseAway,
    ReadingError,
    StatementRefused,
    StatementTooSlow,
)
from relayscope.collector.text.printable import lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from psycopg.adapt import AdaptersMap

_CHUNK: Final = 100
"""Rows that travel together: 10 times as fast as one by one, and few enough to be shown at once."""

_GONE: Final = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.ConnectionException,
)
"""PostgreSQL says so before it ends a connection; of one that just ends there is no code."""

TOO_SLOW: Final = "--timeout SECONDS allows it more; narrow the time to need less."


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result."""

    name: str
    type_oid: int


@dataclass(frozen=True, slots=True)
class Result:
    """Result of a statement; `rows` may be read once, while the connection is open."""

    columns: tuple[Column, ...]
    rows: Iterator[tuple[Any, ...]]


def run(
    connection: psycopg.Connection[Any],
    statement: str,
    values: Callable[[AdaptersMap], None],
) -> Result:
    """Run one statement that returns rows.

    It is parsed first and refused if it would not return rows, so that `do`, `copy`, `set` or
    `commit` never run; and the extended protocol takes one statement, never two.

    Args:
        connection: as `database.reading` gives it.
        statement: SQL of the user's own; nothing is put into it.
        values: the form of the values: `values.as_text` or `values.as_json`.

    Raises:
        StatementRefused: with PostgreSQL's words and the place in the statement, at once or while
            the rows are read.
        DatabaseAway: it has ended the connection.
    """
    try:
        query = statement.encode()
    except UnicodeEncodeError:
        raise StatementRefused("the statement is not valid UTF-8") from None
    columns = _describe(connection, query)
    if not columns:
        raise StatementRefused("only a statement that returns rows can be run here")
    cursor = connection.cursor()
    values(cursor.adapters)
    return Result(columns, _in_our_words(cursor.stream(query, size=_CHUNK)))


def _describe(connection: psycopg.Connection[Any], query: bytes) -> tuple[Column, ...]:
    server = connection.pgconn
    try:
        described = (server.prepare(b"", query), server.describe_prepared(b""))
    except psycopg.Error as error:
        raise refused(error) from None
    for result in described:
        if result.status != ExecStatus.COMMAND_OK:
            raise refused(errors.error_from_result(result))
    return tuple(
        Column((result.fname(i) or b"").decode(errors="replace"), result.ftype(i))
        for i in range(result.nfields)
    )


def _in_our_words(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    try:
        yield from rows
    except psycopg.Error as error:
        raise refused(error) from None


def refused(error: psycopg.Error, too_slow: str = TOO_SLOW) -> ReadingError:
    """Return PostgreSQL's error, made harmless, and what to do if it took too long."""
    said = "\n".join(lines(str(error).strip()))
    is_cut_off = isinstance(error, psycopg.OperationalError) and not error.sqlstate
    if is_cut_off or isinstance(error, _GONE):
        return DatabaseAway(f"PostgreSQL has ended the connection: {said}")
    if isinstance(error, errors.QueryCanceled) and "statement timeout" in said:
        return StatementTooSlow(f"{said}\nHINT:  {too_slow}")
    return StatementRefused(said)
