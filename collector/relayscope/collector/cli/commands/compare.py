"""`relayscope diff`, `peers` and `stats`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click
from rich.text import Text

from relayscope.collector.cli.commands.lists import TIMEOUT
from relayscope.collector.cli.failures import failures
from relayscope.collector.cli.options import as_json, database_options
from relayscope.collector.query import last_list
from relayscope.collector.query import value_loaders as values
from relayscope.collector.query.database import reading
from relayscope.collector.query.errors import MessageMissing, PeerMissing, RowMissing
from relayscope.collector.query.filters import bound, filter_options
from relayscope.collector.query.lookback import EARLIEST, LATEST, windows
from relayscope.collector.query.named_query import select
from relayscope.collector.query.statement import Column
from relayscope.collector.render import tabular
from relayscope.collector.render.result import readable, show
from relayscope.collector.render.terminal import print_lines, stdout_console, write_lines
from relayscope.collector.text.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import LiteralString

    import psycopg

    from relayscope.collector.config.settings import Settings
    from relayscope.collector.query.statement import Result

_SECTIONS: Final[dict[str, LiteralString]] = {
    "components": "components",
    "who calls whom": "service_calls",
    "messages that are missing": "delivery",
}

_TEXT: Final = 25
"""The type of text."""

_MOST_NAMES: Final = 50
"""Names that are listed."""

_WEEK: Final = timedelta(days=7)


@click.command()
@click.argument("left", metavar="MESSAGE")
@click.argument("right", metavar="MESSAGE")
@as_json
@database_options()
def diff(*, settings: Settings, left: str, right: str, as_json: bool) -> None:
    """Show in what two messages differ, as JSON: members, elements, types, values, order.

    MESSAGE is a message_id that `relayscope messages` lists, or the number of a row of its list if
    that was the last that was shown in a terminal.
    """
    form = values.as_json if as_json else values.as_text
    with failures(), reading(settings, timeout=TIMEOUT) as connection:
        texts = {"a": _text(connection, left), "b": _text(connection, right)}
        _show(select(connection, "difference", texts, form), as_json=as_json)


@click.command()
@click.argument("left", metavar="PEER")
@click.argument("right", metavar="PEER")
@filter_options("method", "since", "until")
@as_json
@database_options()
def peers(*, settings: Settings, left: str, right: str, as_json: bool, **given: Any) -> None:
    """Show what one peer sends and another does not, by their newest messages of 7 days.

    PEER is who was at the other end of a connection, as `relayscope messages` lists it, or the name
    of a component.
    """
    form = values.as_json if as_json else values.as_text
    times = {
        "since": given["since"] or datetime.now(UTC) - _WEEK,
        "until": given["until"] or LATEST,
    }
    asked = bound({"method": given["method"], "peer": (left, right)})
    asked |= {"a": left, "b": right, **times}
    with failures(), reading(settings, timeout=TIMEOUT) as connection:
        for name in (left, right):
            _check_known(connection, name, times)
        found = select(connection, "difference_of_peers", asked, form)
        columns = ("method", "occasion", "path", "left", "right", "difference")
        _show(found, as_json=as_json, columns=columns)


@click.command()
@filter_options("since", "until")
@as_json
@database_options()
def stats(*, settings: Settings, as_json: bool, **given: Any) -> None:
    """Show what has been stored, who called whom and how slowly, and which messages are missing."""
    form = values.as_json if as_json else values.as_text
    times = {"since": given["since"] or EARLIEST, "until": given["until"] or LATEST}
    with failures(), reading(settings, timeout=TIMEOUT) as connection:
        results = {
            title: select(connection, name, times, form) for title, name in _SECTIONS.items()
        }
    console = stdout_console()
    for title, found in results.items():
        if as_json:
            write_lines(tabular.json_lines(_labelled(found, _SECTIONS[title])))
            continue
        result = _missing(found) if _SECTIONS[title] == "delivery" else found
        if console.is_terminal:
            console.print(Text(title, "bold"))
            print_lines(console, tabular.table(readable(result), console.width))
        else:
            write_lines([f"# {title}", *tabular.tsv(result)])


def _show(result: Result, *, as_json: bool, columns: Sequence[str] | None = None) -> None:
    """Print differences; in a terminal, also that there are none."""
    rows = list(result.rows)
    if rows or as_json or not stdout_console().is_terminal:
        show(replace(result, rows=iter(rows)), as_json=as_json, columns=columns)
    else:
        click.echo("nothing differs")


def _check_known(
    connection: psycopg.Connection[Any], name: str, times: Mapping[str, datetime]
) -> None:
    (found,) = next(select(connection, "is_known", {"name": name, **times}, values.as_text).rows)
    if found == "t":
        return
    known = [one for (one,) in select(connection, "known", times, values.as_text).rows if one]
    listed = ", ".join(map(one_line, known[:_MOST_NAMES])) or "none"
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    raise PeerMissing(
        f"no message of {one_line(name)} is stored from {times['since']:%Y-%m-%d %H:%M} UTC on; "
        f"known are {listed}{more}"
    )


def _missing(result: Result) -> Result:
    """The rows of which something is missing: a process that runs has one without."""
    place = [column.name for column in result.columns].index("missing")
    return replace(result, rows=(row for row in result.rows if row[place] != "0"))


def _labelled(result: Result, view: str) -> Result:
    """The rows with the view that they are of."""
    return replace(
        result,
        columns=(Column("view", _TEXT), *result.columns),
        rows=((view, *row) for row in result.rows),
    )


def _text(connection: psycopg.Connection[Any], message_id: str) -> str:
    if message_id.isascii() and message_id.isdigit():
        number, message_id = message_id, last_list.row(int(message_id[:9])).message_id or ""
        if not message_id:
            raise RowMissing(f"row {number} of the last list is no message")
    channel, _, sequence = message_id.rpartition("/")
    if not channel or not sequence.isascii() or not sequence.isdigit() or "\0" in channel:
        raise click.UsageError(
            f"{one_line(message_id)} is no message id; `relayscope messages` lists them"
        )
    parts = {"channel": channel, "sequence": int(sequence[:18])}
    for window in windows(connection, "newest_records"):
        found = select(connection, "text_of_message", parts | window._asdict(), values.as_text)
        for (text,) in found.rows:
            if text is None:
                raise MessageMissing(f"the text of {one_line(message_id)} was not recorded")
            return str(text)
    raise MessageMissing(f"no message {one_line(message_id)} is stored")
