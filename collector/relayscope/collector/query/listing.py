"""Rows of a list: the newest, or the greatest, the newest last as in a log file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from relayscope.collector.query import value_loaders as values
from relayscope.collector.query.errors import StatementTooSlow
from relayscope.collector.query.lookback import whole, windows
from relayscope.collector.query.named_query import select

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import psycopg

    from relayscope.collector.query.list_kind import ListKind
    from relayscope.collector.query.statement import Result

_NOT_ALL: Final = (
    "what is older than {} was not looked at, which takes too long: --since and --until narrow it"
)


def newest(
    connection: psycopg.Connection[Any],
    kind: ListKind,
    bound: Mapping[str, Any],
    times: tuple[datetime | None, datetime | None],
    *,
    as_json: bool,
) -> Result:
    """The newest rows of a list, whose statement gives the newest first; here the newest is last.

    Args:
        connection: as `database.reading` gives it.
        kind: the list.
        bound: the parameters of its statement, `most` among them, without its times.
        times: since and until, as far as they were given.
        as_json: True if values are as in JSON, and not as text.
    """
    rows: list[tuple[Any, ...]] = []
    most: int = bound["most"]
    looked_at = ""
    name = kind.statement(bound)
    time = whole(*times, bound["sort"])
    # The greatest may be anywhere, and an index finds traces wherever they are.
    is_newest = bound["sort"] == "time" and bound["trace"] is None
    for window in windows(connection, kind.newest, time) if is_newest else [time]:
        try:
            result = select(
                connection,
                name,
                {**bound, **window._asdict(), "most": most - len(rows)},
                values.as_json if as_json else values.as_text,
            )
        except StatementTooSlow:
            if not rows:
                raise
            # What was found is more than nothing, and less than all.
            click.echo(_NOT_ALL.format(looked_at), err=True)
            break
        rows += result.rows
        looked_at = f"{window.since:%Y-%m-%d %H:%M} UTC"
        if len(rows) >= most:
            break
    return replace(result, rows=reversed(rows))
