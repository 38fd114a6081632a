"""The options by which lists are filtered, and what they are bound as."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import click
import orjson
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Callable

_AGO: Final = re.compile(r"(\d{1,6})(s|m|h|d|w)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

LEVELS: Final = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
"""OpenTelemetry's severities, by the least number of each."""

OUTCOMES: Final = ("ok", "tool_error", "protocol_error", "transport_error", "unanswered")


def moment(text: str) -> datetime:
    """Read a time: `10m`, `2h`, `7d` ago, or ISO 8601, local time where no zone is given.

    Raises:
        click.BadParameter: it is neither.
    """
    try:
        if found := _AGO.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{_UNITS[found[2]]: int(found[1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter("expected 10m, 2h, 7d or 2026-11-25T14:00") from None


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


_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "component": {"metavar": "NAME", "help": "Of this component (service.name)."},
    "peer": {"metavar": "PEER", "help": "With this peer, as in `127.0.0.1:9051` or `stdio`."},
    "method": {"metavar": "METHOD", "help": "Of this MCP method."},
    "tool": {"metavar": "NAME", "help": "Of this tool."},
    "outcome": {"type": click.Choice(OUTCOMES), "help": "Of this outcome."},
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
        "help": "From this time on: 10m, 2h, 7d ago, or ISO 8601.",
    },
    "until": {"type": moment, "metavar": "TIME", "help": "Until before this time."},
}


def filter_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the named options; it gets what was given as keyword arguments."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for name in reversed(names):
            command = click.option(f"--{name}", name, **_OPTIONS[name])(command)
        return command

    return decorate


def bound(given: dict[str, Any]) -> dict[str, object]:
    """What the statements of `lists.sql` are given for these options; null where there is none.

    Raises:
        click.BadParameter: a text is none that PostgreSQL could have stored.
    """
    parameters: dict[str, object] = dict.fromkeys(
        ("component", "peer", "method", "tool", "outcome", "level", "text", "attributes")
    )
    parameters |= {name: value for name, value in given.items() if name in parameters}
    for name, value in given.items():
        _check_text(name, value)
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
    text = str(value)
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise click.BadParameter("this is no text that could be stored", param_hint=f"--{name}")
