"""The options by which lists are filtered, and what they are bound as."""

from __future__ import annotations

from functools import wraps
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import click
import orjson
from psycopg.types.json import Jsonb

from relayscope.collector.query.errors import RowMissing
from relayscope.collector.query.trace_id import Ids, parse_trace_id
from relayscope.collector.text.times import FORMS, length, moment
from relayscope.conventions.attributes import LONGEST_TARGET

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS: Final = {
    "trace": 1,
    "debug": 5,
    "info": 9,
    "warn": 13,
    "error": 17,
    "fatal": 21,
    "warning": 13,
    "critical": 21,
}
"""OpenTelemetry's severities, by the least number of each, and Python's names for two of them."""

DIRECTIONS: Final = ("sent", "received")
KINDS: Final = ("request", "notification", "result", "error", "batch", "unparsable")
SIDES: Final = ("client", "server")
OUTCOMES: Final = ("ok", "tool_error", "protocol_error", "transport_error", "unanswered")


def attribute(text: str) -> list[dict[str, Any]]:
    """Read `KEY=VALUE`, or a JSON object where the key holds a `=` or the value is no text.

    The value of `KEY=VALUE` may be stored as text, or as the number or truth value it reads as: so
    there is a list of objects of which one must be part of the attributes.

    Raises:
        click.BadParameter: it is neither.
    """
    if text.startswith("{"):
        try:
            return [dict(orjson.loads(text))]
        except ValueError:
            raise click.BadParameter("this begins like a JSON object, and is none") from None
    key, equals, wanted = text.partition("=")
    if not equals:
        raise click.BadParameter('expected KEY=VALUE or {"KEY": VALUE}')
    return [{key: form} for form in _forms(wanted)]


def _forms(text: str) -> list[Any]:
    try:
        value = orjson.loads(text)
    except ValueError:
        return [text]
    return [text, value] if isinstance(value, (bool, int, float)) else [text]


def trace_ids(text: str) -> Ids:
    """Read which trace is meant.

    Raises:
        click.BadParameter: it cannot be told.
    """
    try:
        return parse_trace_id(text)
    except (ValueError, RowMissing) as error:
        raise click.BadParameter(str(error)) from None


def _target(text: str) -> str:
    """The name of a tool as calls and messages have it."""
    return text[:LONGEST_TARGET]


def _any_of(help_text: str, **given: Any) -> dict[str, Any]:
    """An option that may be given several times, for whatever has one of the values."""
    return {"multiple": True, "help": f"{help_text} (*)", **given}


FILTERS: Final[dict[str, dict[str, Any]]] = {
    "component": _any_of("Of this component (service.name).", metavar="NAME"),
    "peer": _any_of("With this peer, as in `127.0.0.1:9051` or `stdio`.", metavar="PEER"),
    "direction": _any_of("Of this direction.", type=click.Choice(DIRECTIONS)),
    "side": _any_of("Made (client) or served (server).", type=click.Choice(SIDES)),
    "kind": _any_of("Of this kind.", type=click.Choice(KINDS)),
    "method": _any_of("Of this MCP method.", metavar="METHOD"),
    "tool": _any_of("Of this tool.", type=_target, metavar="NAME"),
    "outcome": _any_of("Of this outcome.", type=click.Choice(OUTCOMES)),
    "trace": _any_of(
        "Of this trace: its id, the beginning of it, or a row of the last list.",
        type=trace_ids,
        metavar="ID",
    ),
    "failed": {"is_flag": True, "help": "Only what went wrong."},
    "odd": {"is_flag": True, "help": "Only with messages that healthy peers would not send."},
    "slower_than": {
        "type": length,
        "metavar": "TIME",
        "help": "Only what took longer: 500ms, 2s, 1m.",
    },
    "level": {
        "type": click.Choice(tuple(LEVELS), case_sensitive=False),
        "help": "Of this severity at least.",
    },
    "text": {"metavar": "TEXT", "help": "Whose text holds this, letter by letter."},
    "attribute": {
        "type": attribute,
        "metavar": "KEY=VALUE",
        "multiple": True,
        "help": 'With this attribute; several must all be there. Also {"KEY": VALUE}.',
    },
    "since": {
        "type": moment,
        "metavar": "TIME",
        "help": f"From this time on: {FORMS}.",
    },
    "until": {"type": moment, "metavar": "TIME", "help": "Until before this time, as --since."},
    "all": {
        "is_flag": True,
        "help": "Also what relayscope says of channels and of delivery when all is well.",
    },
}
"""Each filter by its name, as `click.option` takes it; the page reads its addresses with them."""


def filter_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the named options; it gets what was given as keyword arguments."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        command = _in_order(command)
        for name in reversed(names):
            flag = f"--{name.replace('_', '-')}"
            command = click.option(flag, name, **FILTERS[name])(command)
        return command

    return decorate


def _in_order(command: Callable[..., None]) -> Callable[..., None]:
    """Refuse a time that ends before it begins: that nothing is of it would be no news."""

    @wraps(command)
    def checked(**given: Any) -> None:
        since, until = given.get("since"), given.get("until")
        if since is not None and until is not None and since >= until:
            raise click.BadParameter("this is not after --since", param_hint="'--until'")
        command(**given)

    return checked


def bound(given: dict[str, Any]) -> dict[str, object]:
    """Bind filters for the statements of `lists.sql`; null where there is none.

    Raises:
        click.BadParameter: a text is none that PostgreSQL could have stored.
    """
    parameters: dict[str, object] = dict.fromkeys(FILTERS)
    parameters |= dict.fromkeys(("failed", "odd", "all"), False)
    parameters |= {"attributes": None, "times": None, "sort": "time", "ascending": False}
    for name, value in given.items():
        _check_text(name, value)
        if name in parameters:
            parameters[name] = list(value) or None if isinstance(value, tuple) else value
    if given.get("level") is not None:
        parameters["level"] = LEVELS[given["level"].lower()]
    if given.get("attribute"):
        # One object for each way to read all the values.
        parameters["attributes"] = [
            Jsonb({key: value for one in choice for key, value in one.items()})
            for choice in product(*given["attribute"])
        ]
    return parameters


def _check_text(name: str, value: object) -> None:
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str) and (
            "\0" in text or any("\ud800" <= char <= "\udfff" for char in text)
        ):
            raise click.BadParameter("this is no text that could be stored", param_hint=f"--{name}")
