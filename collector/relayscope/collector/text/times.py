"""Times and lengths of time: as people give them to a command, and as telemetry has them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import click

_LENGTH: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)")
_UNITS: Final = {
    "ms": "milliseconds",
    "s": "seconds",
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

FORMS: Final = "10m, 2h, 7d ago, or 2026-11-25T14:00, in UTC where it names no zone"


def moment(text: str) -> datetime:
    """Read a time: `10m`, `2h`, `7d` ago, or ISO 8601, in UTC where it names no zone.

    UTC, because all times that commands print are: what one prints, the next can be given.

    Raises:
        click.BadParameter: it is neither.
    """
    try:
        if (ago := _length(text)) is not None:
            return datetime.now(UTC) - ago
        given = datetime.fromisoformat(text)
        return given.replace(tzinfo=given.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"expected {FORMS}") from None


def length(text: str) -> timedelta:
    """Read a length of time: `500ms`, `2s`, `1m`.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        if (found := _length(text)) is not None:
            return found
    except OverflowError:
        pass
    raise click.BadParameter("expected 500ms, 2s, 1m, 2h or 1d")


def _length(text: str) -> timedelta | None:
    found = _LENGTH.fullmatch(text)
    return timedelta(**{_UNITS[found[2]]: float(found[1])}) if found else None


def date_of(ns: int) -> datetime | None:
    """Return the time that is so many ns after 1970, in UTC; None beyond the years of Python."""
    try:
        return _EPOCH + timedelta(microseconds=ns // 1000)
    except OverflowError:
        return None
