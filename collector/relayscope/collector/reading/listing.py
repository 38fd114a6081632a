"""Lists on their way to the screen: newest last, as in a log file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from relayscope.collector.reading import tabular, values
from relayscope.collector.reading.selection import select
from relayscope.collector.reading.terminal import print_lines, stdout_console, write_lines
from relayscope.collector.reading.windows import windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import LiteralString

    import psycopg

    from relayscope.collector.reading.statement import Result

_DATE_AND_TIME: Final = slice(5, 23)
"""What of `2026-11-23 09:07:28.123456+00` tells records of one list apart."""


def newest(
    connection: psycopg.Connection[Any],
    name: LiteralString,
    bound: Mapping[str, object],
    times: tuple[datetime | None, datetime | None],
    *,
    as_json: bool,
) -> Result:
    """The newest rows of a statement that gives the newest first; here the newest is last.

    Args:
        connection: as `database.reading` gives it.
        name: of the statement.
        bound: its parameters, `most` among them, without its times.
        times: since and until, as far as they were given.
        as_json: which form the values have.
    """
    rows: list[tuple[Any, ...]] = []
    for window in windows(*times):
        result = select(
            connection,
            name,
            {**bound, **window._asdict()},
            values.as_json if as_json else values.as_text,
        )
        rows = list(result.rows)
        if len(rows) == bound["most"]:
            break
    return replace(result, rows=reversed(rows))


def show(result: Result, *, as_json: bool, columns: Sequence[str] | None = None) -> None:
    """Print rows: as a table in a terminal, as TSV in a pipe, or as JSON.

    Args:
        result: the rows, their values in the form that `as_json` asks for.
        as_json: whether to print one JSON object per row.
        columns: what a terminal has room for; everything, if it is not said.
    """
    console = stdout_console()
    if as_json:
        write_lines(tabular.json_lines(result))
    elif console.is_terminal:
        shown = result if columns is None else _only(result, columns)
        print_lines(console, tabular.table(shown, console.width))
    else:
        write_lines(tabular.tsv(result))


def _only(result: Result, names: Sequence[str]) -> Result:
    positions = [[column.name for column in result.columns].index(name) for name in names]
    time = names.index("time") if "time" in names else None

    def chosen(row: tuple[Any, ...]) -> tuple[Any, ...]:
        kept = [row[position] for position in positions]
        if time is not None and kept[time] is not None:
            kept[time] = kept[time][_DATE_AND_TIME]
        return tuple(kept)

    return replace(
        result,
        columns=tuple(result.columns[position] for position in positions),
        rows=map(chosen, result.rows),
    )
