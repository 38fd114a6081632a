"""Lists on their way to the screen: newest last, as in a log file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from relayscope.collector.query import value_loaders as values
from relayscope.collector.query.errors import StatementTooSlow
from relayscope.collector.query.lookback import EARLIEST, windows
from relayscope.collector.query.named_query import select
from relayscope.collector.render import tabular
from relayscope.collector.render.quantities import interval_text
from relayscope.collector.render.terminal import print_lines, stdout_console, write_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import LiteralString

    import psycopg

    from relayscope.collector.query.statement import Result

_A_DAY: Final = timedelta(days=1)
"""How far back the greatest are looked for: unlike the newest, they could be anywhere."""

_NOT_ALL: Final = (
    "what is older than {} was not looked at, which takes too long: --since and --until narrow it"
)

_INTERVAL: Final = 1186
"""The type of intervals."""


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
    looked_at = ""
    since, until = times
    if since is None and bound["sort"] != "time":
        since = (until or datetime.now(UTC)) - _A_DAY
    elif since is None and bound["trace"] is not None:
        since = EARLIEST  # an index finds them, wherever they are
    for window in windows(since, until):
        try:
            result = select(
                connection,
                name,
                {**bound, **window._asdict()},
                values.as_json if as_json else values.as_text,
            )
        except StatementTooSlow:
            if not rows:
                raise
            # What was found is more than nothing, and less than all.
            click.echo(_NOT_ALL.format(looked_at), err=True)
            break
        rows = list(result.rows)
        looked_at = f"{window.since:%Y-%m-%d %H:%M} UTC"
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
        print_lines(console, tabular.table(readable(shown), console.width))
    else:
        write_lines(tabular.tsv(result))


def _only(result: Result, names: Sequence[str]) -> Result:
    positions = [[column.name for column in result.columns].index(name) for name in names]
    return replace(
        result,
        columns=tuple(result.columns[position] for position in positions),
        rows=(tuple(row[position] for position in positions) for row in result.rows),
    )


def readable(result: Result) -> Result:
    """The same, with intervals in the unit that fits them."""
    intervals = [column.type_oid == _INTERVAL for column in result.columns]
    rows = (
        tuple(
            interval_text(value) if is_interval and value is not None else value
            for value, is_interval in zip(row, intervals, strict=True)
        )
        for row in result.rows
    )
    return replace(result, rows=rows)
