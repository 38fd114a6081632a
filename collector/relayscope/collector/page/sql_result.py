"""The result of a statement of the user's own: as a table, a plot, CSV and JSON."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from psycopg import postgres
from psycopg.pq import Format

from relayscope.collector.page.curves import curves
from relayscope.collector.query.errors import StatementRefused
from relayscope.collector.query.statement import Result, run
from relayscope.collector.render import tabular

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from psycopg import Connection
    from psycopg.adapt import AdaptersMap

    from relayscope.collector.page.curves import Curves
    from relayscope.collector.query.statement import Column

_TIMES: Final = frozenset({1082, 1114, 1184})
"""date, timestamp, timestamptz."""
_NUMBERS: Final = frozenset({20, 21, 23, 700, 701, 1700})
"""int8, int2, int4, float4, float8, numeric."""
_INTERVAL: Final = 1186
_MOMENTS: Final = (10**18, 4 * 10**18)
"""Nanoseconds since 1970 of the years 2001 and 2096: what is between them is taken for a moment."""
_TEXTS: Final = frozenset({19, 25, 1042, 1043})
"""name, text, bpchar, varchar."""

_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""With what a spreadsheet takes a text for a formula; the last four are wide forms of the first."""

_LARGEST: Final = 64 * 2**20
"""Characters of a result that is kept in memory to be shown or downloaded."""

_load_interval = postgres.adapters.get_loader(_INTERVAL, Format.TEXT)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that have been read.

    Attributes:
        columns: Their columns.
        rows: Their values.
        has_more: True if there are more than those.
    """

    columns: Sequence[Column]
    rows: Sequence[tuple[Any, ...]]
    has_more: bool


def read(
    connection: Connection[Any],
    statement: str,
    values: Callable[[AdaptersMap], None],
    most: int,
) -> Rows:
    """Run a statement and read its first rows.

    Raises:
        StatementRefused: PostgreSQL would not run it, or its rows are too large to be kept.
    """
    result = run(connection, statement, values)
    with closing(_generator(result)) as found:
        rows = list(islice(_measured(found), most + 1))
    return Rows(result.columns, rows[:most], len(rows) > most)


def _generator(result: Result) -> Generator[tuple[Any, ...], None, None]:
    yield from result.rows


def _measured(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    size = 0
    for row in rows:
        size += sum(len(value) for value in row if isinstance(value, str))
        if size > _LARGEST:
            raise StatementRefused(
                f"the result is larger than {_LARGEST // 2**20} MiB; ask for less of it, or use "
                "`relayscope sql`, which passes rows on as they come"
            )
        yield row


def csv(found: Rows) -> Iterator[str]:
    """Lines of CSV in which no spreadsheet finds a formula.

    A text that begins as one gets an apostrophe before it, as spreadsheets mark text.
    """
    plain = [column.type_oid in _NUMBERS for column in found.columns]
    columns = [type(column)(_guarded(column.name), column.type_oid) for column in found.columns]
    rows = (
        tuple(
            value if value is None or is_number else _guarded(value)
            for value, is_number in zip(row, plain, strict=True)
        )
        for row in found.rows
    )
    return tabular.csv(Result(tuple(columns), rows))


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def objects(found: Rows) -> list[dict[str, Any]]:
    """The rows as objects, as JSON has them.

    Raises:
        StatementRefused: Two columns have one name, so that an object could hold one of them only.
    """
    names = [column.name for column in found.columns]
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise StatementRefused(f'several columns are called "{twice[0]}": name them with `as`')
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def plot(found: Rows) -> Curves | None:
    """The values over time, if a column is one: a curve for each number, or for each name.

    With one column of numbers and one of text, the text says whose each number is.
    """
    types = [column.type_oid for column in found.columns]
    times = [at for at, type_ in enumerate(types) if type_ in _TIMES]
    numbers = [
        at
        for at, type_ in enumerate(types)
        if (type_ in _NUMBERS and not _is_moment(found.rows, at)) or type_ == _INTERVAL
    ]
    texts = [at for at, type_ in enumerate(types) if type_ in _TEXTS]
    if not times or not numbers:
        return None
    names = texts if len(numbers) == 1 else []
    points: dict[str, dict[datetime, float]] = defaultdict(dict)
    for row in found.rows:
        moment = _time(row[times[0]])
        for at in numbers:
            value = _number(row[at], types[at])
            if moment is None or value is None:
                continue
            name = " ".join(str(row[one]) for one in names) or found.columns[at].name
            points[name][moment] = value
    return curves({name: sorted(of_one.items()) for name, of_one in points.items()})


def _is_moment(rows: Sequence[tuple[Any, ...]], at: int) -> bool:
    """Return whether a column is of ns since 1970: as a curve it would flatten all others."""
    values = [_number(row[at], 0) for row in rows]
    known = [value for value in values if value is not None]
    return bool(known) and all(_MOMENTS[0] <= value < _MOMENTS[1] for value in known)


def _time(text: str | None) -> datetime | None:
    with suppress(ValueError, TypeError):
        moment = datetime.fromisoformat(text or "")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _number(text: str | None, type_: int) -> float | None:
    """The value; of an interval its seconds."""
    if text is None:
        return None
    try:
        if type_ == _INTERVAL and _load_interval is not None:
            length: timedelta = _load_interval(_INTERVAL).load(text.encode())
            return length.total_seconds()
        value = float(text)
    except (ValueError, OverflowError, NotImplementedError):
        return None
    return value if math.isfinite(value) else None
