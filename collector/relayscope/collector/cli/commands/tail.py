"""`relayscope tail`."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click
import orjson
from rich.text import Text

from relayscope.collector.cli.commands.lists import (
    SEVERAL,
    TIMEOUT,
    most,
    parameters,
    why_none,
)
from relayscope.collector.cli.failures import failures
from relayscope.collector.cli.options import as_json, database_options
from relayscope.collector.query import value_loaders as values
from relayscope.collector.query.database import again, reading
from relayscope.collector.query.filters import filter_options
from relayscope.collector.query.list_kind import RECORDS
from relayscope.collector.query.listing import newest
from relayscope.collector.query.lookback import LATEST
from relayscope.collector.query.named_query import select
from relayscope.collector.query.trace_id import short
from relayscope.collector.render import tabular
from relayscope.collector.render.terminal import is_read, stdout_console, write_lines
from relayscope.collector.text.message_summary import gist
from relayscope.collector.text.printable import one_line
from relayscope.conventions.events import EVENT_MESSAGE

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings
    from relayscope.collector.query.statement import Result

_PERIOD: Final = 0.5
"""Seconds between two looks."""

_LATE: Final = timedelta(seconds=30)
"""Records are told by their own time, and arrive when their process has sent them: a second later,
as a rule. How much later they are still shown is how much is looked at each time."""

_AT_ONCE: Final = 10_000
"""Records of one look."""

_DATE_AND_TIME: Final = slice(5, 23)
"""Part of `2026-11-23 09:07:28.123456+00` that a line shows; the times are in UTC."""


@click.command(epilog=SEVERAL)
@click.option("-f", "--follow", is_flag=True, help="Go on showing what is stored from now on.")
@database_options()
@filter_options(*RECORDS.filters)
@most
@as_json
def tail(*, settings: Settings, follow: bool, as_json: bool, **given: Any) -> None:
    """Show the newest records, messages among them, the newest last.

    With --follow those that are stored later, too, until interrupted; but none that is more than
    30 seconds old when it arrives.
    """
    lines = _Lines(as_json=as_json)
    with failures(), reading(settings, timeout=TIMEOUT) as connection:
        asked = parameters(connection, given)
        times = (given["since"], given["until"])
        seen: set[bytes] = set()

        def look() -> list[tuple[Any, ...]]:
            """Return what has come since the last look, the oldest first."""
            nonlocal seen
            again(connection, timeout=TIMEOUT)
            window = {"since": datetime.now(UTC) - _LATE, "until": given["until"] or LATEST}
            result = select(
                connection, "records", asked | window | {"most": _AT_ONCE}, lines.values
            )
            found = {orjson.dumps(row): row for row in reversed(list(result.rows))}
            new = [row for identity, row in found.items() if identity not in seen]
            seen = set(found)
            return new

        if follow:
            look()
        last = newest(connection, RECORDS, asked, times, as_json=as_json)
        rows = list(last.rows)
        lines.write(replace(last, rows=iter(rows)))
        # Shown already, even if it came between the two looks.
        seen.update(map(orjson.dumps, rows))
        if not rows and not as_json and stdout_console().is_terminal:
            why = why_none(connection, settings, given)
            click.echo(f"{why}; what comes is shown" if follow else why)
        # Also in the midst of a look: whoever has read enough has made no mistake.
        with suppress(KeyboardInterrupt):
            while follow and is_read(sys.stdout.fileno()):
                time.sleep(_PERIOD)
                lines.write(replace(last, rows=iter(look())))


class _Lines:
    """Writes records as they come, each on a line that is flushed."""

    def __init__(self, *, as_json: bool) -> None:
        self.values = values.as_json if as_json else values.as_text
        self._as_json = as_json
        self._console = stdout_console()
        self._has_heading = False

    def write(self, result: Result) -> None:
        if self._as_json:
            write_lines(tabular.json_lines(result))
        elif self._console.is_terminal:
            names = [column.name for column in result.columns]
            for row in result.rows:
                self._console.print(_line(dict(zip(names, row, strict=True)), self._console.width))
        else:
            lines = tabular.tsv(result)
            if self._has_heading:
                next(lines)
            self._has_heading = True
            write_lines(lines)
        sys.stdout.flush()


def _line(record: dict[str, str | None], width: int) -> Text:
    """A record in as much as fits on a line of a terminal."""
    direction = {"sent": "→", "received": "←"}.get(record["direction"] or "", record["direction"])
    kind = record["kind"] if record["kind"] not in ("request", "notification") else None
    odd = record["odd"] and f"! {record['odd']}"
    what = (direction, record["peer"], kind, record["method"], record["tool"], odd)
    body = record["body"] or ""
    text = gist(body) if record["event_name"] == EVENT_MESSAGE else body
    severity = None if record["event_name"] == EVENT_MESSAGE else record["severity_text"]
    said = (short(record["trace_id"] or ""), record["component"], severity, *what, text)
    shown = " ".join(one_line(part) for part in said if part)
    time_text = f"{one_line((record['time'] or '')[_DATE_AND_TIME])}Z"
    line = Text.assemble((time_text, "bright_black"), " ", shown)
    line.truncate(width, overflow="ellipsis")
    return line
