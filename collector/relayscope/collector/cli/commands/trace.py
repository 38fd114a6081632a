"""`relayscope trace`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from relayscope.collector.cli.failures import failures
from relayscope.collector.cli.options import database_options
from relayscope.collector.query.database import reading
from relayscope.collector.query.filters import trace_ids
from relayscope.collector.query.trace_id import find
from relayscope.collector.query.traces import WHOLE, load, newest, with_strays
from relayscope.collector.render.terminal import print_lines, stdout_console, write_lines
from relayscope.collector.render.trace_json import trace_json
from relayscope.collector.render.trace_text import Layout, Messages, trace_lines
from relayscope.collector.serve.page_address import page_url

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings
    from relayscope.collector.query.trace_id import Ids

_TRACE_TIMEOUT: Final = 30.0
"""Seconds; a trace is found by an index, only `--last` may have to look at all that is stored."""

_GIST_CHARACTERS: Final = 16_384
"""Characters loaded of a text that is cut to a terminal's width: enough to summarize it."""


@click.command()
@click.argument("trace_id", required=False, metavar="[TRACE]", type=trace_ids)
@click.option("--last", is_flag=True, help="Show the trace of the last call a client made.")
@click.option("--full", is_flag=True, help="Show all text of every message, not one line of it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="Show at most N spans and N records, the earliest.",
)
@database_options()
def trace(  # noqa: PLR0913 - one for each option
    *,
    settings: Settings,
    trace_id: Ids | None,
    last: bool,
    full: bool,
    as_json: bool,
    limit: int,
) -> None:
    """Show a trace and its messages as a tree, in the order things happened.

    TRACE is its id (32 hex digits, the first six of them or more, a UUID, a whole traceparent),
    or the number of a row of the list that was last shown in a terminal. --last takes the trace
    that began last among those with a call; handshakes, pings and notifications do not count
    unless there is nothing else.

    In a terminal each message is one line: what it says beyond its envelope, or "as sent" if it
    arrived just as the other component sent it. In a pipe each is one line with all of its text.
    """
    if (trace_id is None) is not last:
        raise click.UsageError("give a TRACE, or --last")
    console = stdout_console()
    if as_json or not console.is_terminal:
        layout, characters = Layout(Messages.LINE, has_stacks=full), WHOLE
    elif full:
        layout, characters = Layout(Messages.WHOLE, console.width, page_url(settings)), WHOLE
    else:
        layout = Layout(Messages.GIST, console.width, page_url(settings))
        characters = _GIST_CHARACTERS
    with failures(), reading(settings, timeout=_TRACE_TIMEOUT) as connection:
        found = load(
            connection,
            newest(connection) if trace_id is None else find(connection, trace_id),
            limit=limit,
            characters=characters,
        )
        found = with_strays(connection, found, limit=limit)
    if as_json:
        write_lines([trace_json(found)])
    else:
        print_lines(console, trace_lines(found, layout))
