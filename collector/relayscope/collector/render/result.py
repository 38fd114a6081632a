"""The rows of a result on standard output: a table in a terminal, TSV in a pipe, or JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from relayscope.collector.render import tabular
from relayscope.collector.render.terminal import print_lines, stdout_console, write_lines
from relayscope.collector.text.quantities import interval_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relayscope.collector.query.statement import Result

_INTERVAL: Final = 1186
"""The type of intervals."""


def show(result: Result, *, as_json: bool, columns: Sequence[str] | None = None) -> None:
    """Print rows: as a table in a terminal, as TSV in a pipe, or as JSON.

    Args:
        result: the rows, their values in the form that `as_json` asks for.
        as_json: True to print one JSON object per row.
        columns: columns that a terminal has room for; all of them by default.
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
    """Return a result with intervals in the unit that fits them."""
    intervals = [column.type_oid == _INTERVAL for column in result.columns]
    rows = (
        tuple(
            interval_text(value) if is_interval and value is not None else value
            for value, is_interval in zip(row, intervals, strict=True)
        )
        for row in result.rows
    )
    return replace(result, rows=rows)
