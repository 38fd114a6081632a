"""Times and lengths of time: as people give them to a command, and as telemetry has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import click

from relayscope.collector.config.durations import length_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

FORMS: Final = "10m, 2h, 7d ago, or 2026-11-25T14:00, in UTC where it names no zone"


def moment(text: str) -> datetime:
    """Read a time: `10m`, `2h`, `7d` ago, or ISO 8601, in UTC where it names no zone.

    UTC, because all times that commands print are: what one prints, the next can be given.

    Raises:
        click.BadParameter: it is neither.
    """
    try:
        if (ago := length_of(text)) is not None:
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
        if (found := length_of(text)) is not None:
            return found
    except OverflowError:
        pass
    raise click.BadParameter("expected 500ms, 2s, 1m, 2h or 1d")


def date_of(ns: int) -> datetime | None:
    """Return the time that is so many ns after 1970, in UTC; None beyond the years of Python."""
    try:
        return _EPOCH + timedelta(microseconds=ns // 1000)
    except OverflowError:
        return None
