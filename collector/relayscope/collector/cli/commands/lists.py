"""`relayscope traces`, `logs`, `messages` and `calls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import click
from rich.text import Text

from relayscope.collector.cli.failures import failures
from relayscope.collector.cli.options import as_json, database_options
from relayscope.collector.query import value_loaders as values
from relayscope.collector.query.database import of_demo, reading
from relayscope.collector.query.filters import bound, filter_options
from relayscope.collector.query.last_list import Row, remember
from relayscope.collector.query.list_kind import CALLS, LOGS, MESSAGES, TRACES
from relayscope.collector.query.listing import newest
from relayscope.collector.query.named_query import select
from relayscope.collector.query.trace_id import find, short
from relayscope.collector.render import list_columns as lists
from relayscope.collector.render.result import show
from relayscope.collector.render.terminal import print_lines, stdout_console
from relayscope.collector.serve.page_address import page_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import psycopg

    from relayscope.collector.config.settings import Settings
    from relayscope.collector.query.list_kind import ListKind
    from relayscope.collector.render.list_table import ListTable

SEVERAL: Final = "(*) May be given several times; one of the values must fit."

_OPEN: Final = "; a trace is listed once a call in it has ended: `relayscope calls` has open ones"

TIMEOUT: Final = 60.0
"""Seconds; what is bounded in time takes a fraction of one."""

most = click.option(
    "-n",
    "--limit",
    "most",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="Show at most N.",
)


def parameters(connection: psycopg.Connection[Any], given: dict[str, Any]) -> dict[str, object]:
    """Bind the options of a command for its statement.

    Raises:
        TraceMissing: there is no trace that begins with what was given for `--trace`.
        TraceAmbiguous: there are several.
    """
    traces = [find(connection, ids) for ids in given.get("trace") or ()]
    return bound(given) | {"trace": traces or None, "most": given["most"]}


def _list(settings: Settings, kind: ListKind, table: ListTable, given: dict[str, Any]) -> None:
    form = given.pop("as_json")
    bound(given)  # what is wrong with it is said before anything is connected to
    with failures(), reading(settings, timeout=TIMEOUT) as connection:
        times = (given["since"], given["until"])
        found = newest(connection, kind, parameters(connection, given), times, as_json=form)
        if form or not stdout_console().is_terminal:
            show(found, as_json=form)
            return
        names = [column.name for column in found.columns]
        rows = [dict(zip(names, row, strict=True)) for row in found.rows]
        why = "" if rows else why_none(connection, settings, given)
        if why and kind is TRACES:
            why += _OPEN
    _show(rows, table, page_url(settings))
    if why:
        click.echo(why)


def why_none(
    connection: psycopg.Connection[Any], settings: Settings, given: Mapping[str, Any]
) -> str:
    """Explain why a list has no rows, and what to do."""
    if why := why_empty(connection, settings):
        return why
    hints = ["nothing that is stored fits"]
    if given["since"] is None and given.get("sort", "time") != "time":
        hints.append("it was looked for in the last day: --since goes further back")
    if given.get("all") is False:
        hints.append("what is said of channels and delivery is shown with --all")
    return "; ".join(hints)


def why_empty(connection: psycopg.Connection[Any], settings: Settings) -> str:
    """Explain that nothing at all is stored; nothing, where something is."""
    (is_anything,) = next(select(connection, "is_anything_stored", {}, values.as_text).rows)
    return f"nothing is stored here yet{of_demo(settings)}" if is_anything == "f" else ""


def _show(rows: Sequence[dict[str, Any]], table: ListTable, page: str) -> None:
    """Print a numbered list, and keep what its numbers stand for."""
    console = stdout_console()
    is_kept = remember(
        [
            Row(row["trace_id"] and UUID(row["trace_id"]), row.get("message_id"))
            for row in reversed(rows)
        ]
    )
    for row in rows:
        row["trace"] = short(row["trace_id"] or "")
    print_lines(console, table.lines(rows, console.width, numbered=is_kept, page=page))
    count = f"{len(rows):,} row{'' if len(rows) == 1 else 's'}"
    console.print(Text(f"({count})", "bright_black"))


def _sort(*columns: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option by which a list is sorted."""
    return click.option(
        "--sort",
        type=click.Choice(("time", *columns)),
        default="time",
        show_default=True,
        help="Show the newest, or those with the greatest of this within --since (default: 1d).",
    )


def _command(kind: ListKind) -> Callable[[Callable[..., None]], click.Command]:
    """A command with the filters of its list and what all lists have."""

    def decorate(function: Callable[..., None]) -> click.Command:
        decorated = database_options()(function)
        decorated = most(as_json(decorated))
        if kind.sorts:
            decorated = _sort(*kind.sorts)(decorated)
        return click.command(epilog=SEVERAL)(filter_options(*kind.filters)(decorated))

    return decorate


@_command(TRACES)
def traces(*, settings: Settings, **given: Any) -> None:
    """List the newest traces, the newest last.

    A trace is listed once a call in it has ended; `relayscope calls` has those that are open.
    Peer, method, tool and outcome are those of one call in the trace.
    """
    _list(settings, TRACES, lists.TRACES, given)


@_command(LOGS)
def logs(*, settings: Settings, **given: Any) -> None:
    """List the newest log records that are no messages, the newest last."""
    _list(settings, LOGS, lists.LOGS, given)


@_command(MESSAGES)
def messages(*, settings: Settings, **given: Any) -> None:
    """List the newest JSON-RPC messages, the newest last.

    In a terminal each shows what it says beyond its envelope; in a pipe and with --json each has
    all of its text. `relayscope diff` takes the numbers of two rows, or their message_id.
    """
    _list(settings, MESSAGES, lists.MESSAGES, given)


@_command(CALLS)
def calls(*, settings: Settings, **given: Any) -> None:
    """List the newest calls with their outcome, the newest last."""
    _list(settings, CALLS, lists.CALLS, given)
