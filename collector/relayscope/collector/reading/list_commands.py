"""`relayscope traces`, `logs`, `messages` and `calls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from relayscope.collector.options import settings_options
from relayscope.collector.reading.database import reading
from relayscope.collector.reading.failures import failures
from relayscope.collector.reading.filters import bound, filter_options
from relayscope.collector.reading.listing import newest, show

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import LiteralString

    from relayscope.collector.settings import Settings

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
    help="Show the newest N.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per row.")


def _list(
    settings: Settings, name: LiteralString, columns: Sequence[str], given: dict[str, Any]
) -> None:
    form = given.pop("as_json")
    parameters = bound(given) | {"most": given["most"]}
    with failures(), reading(settings, timeout=TIMEOUT) as connection:
        found = newest(connection, name, parameters, (given["since"], given["until"]), as_json=form)
    show(found, as_json=form, columns=columns)


def _command(*filters: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command with these filters and what all lists have."""

    def decorate(function: Callable[..., None]) -> click.Command:
        decorated = settings_options("data_dir", "database_url")(function)
        return click.command()(filter_options(*filters)(most(as_json(decorated))))

    return decorate


@_command("component", "since", "until")
def traces(*, settings: Settings, **given: Any) -> None:
    """List the newest traces, the newest last."""
    columns = ("time", "trace_id", "component", "name", "duration_ms", "errors")
    _list(settings, "traces", columns, given)


@_command("component", "level", "text", "attribute", "since", "until")
def logs(*, settings: Settings, **given: Any) -> None:
    """List the newest log records that are no messages, the newest last."""
    columns = ("time", "component", "severity_text", "body")
    name: LiteralString = "logs" if given["text"] is None else "logs_with_text"
    _list(settings, name, columns, given)


@_command("component", "peer", "method", "tool", "level", "text", "attribute", "since", "until")
def messages(*, settings: Settings, **given: Any) -> None:
    """List the newest JSON-RPC messages, the newest last.

    In a pipe and with --json each has all of its text, and the id that `relayscope diff` takes.
    """
    columns = ("time", "component", "direction", "kind", "method", "message_id", "body")
    name: LiteralString = "messages" if given["text"] is None else "messages_with_text"
    _list(settings, name, columns, given)


@_command("component", "peer", "method", "tool", "outcome", "text", "since", "until")
def calls(*, settings: Settings, **given: Any) -> None:
    """List the newest calls with their outcome, the newest last."""
    columns = ("time", "component", "side", "method", "tool", "outcome", "duration_ms")
    _list(settings, "calls", columns, given)
