"""Differences between what two peers send, with the messages that show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import dict_row

from relayscope.collector.query.errors import StatementRefused
from relayscope.collector.query.named_query import in_our_words
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import psycopg

    from relayscope.collector.page.interval import Interval

MOST: Final = 500
"""Differences that are shown."""

USUAL: Final = "7d"
"""The time to look back, where an address says none."""


@dataclass(frozen=True, slots=True)
class Place:
    """A message, and where it is seen."""

    message_id: str
    trace_id: UUID | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of `compare_peers`, and the message of each peer that shows it."""

    row: dict[str, Any]
    left: Place | None
    right: Place | None


@dataclass(frozen=True, slots=True)
class Compared:
    """All differences, and the names that could be compared; `more` differences are not shown."""

    differences: Sequence[Difference]
    more: int
    unknown: Sequence[str]


def names(connection: psycopg.Connection[Any], time: Interval) -> list[str]:
    """Names of all that have sent anything in that time."""
    rows = _rows(connection, "known", {"since": time.since, "until": time.until})
    return [row["name"] for row in rows if row["name"]]


def compared(
    connection: psycopg.Connection[Any], left: str, right: str, method: str, time: Interval
) -> Compared:
    """Compare two peers, or components, in that time, as to one method or all."""
    bound = asked(left, right, [method] if method else [], time)
    rows = _rows(connection, "difference_of_peers", bound)
    shown = rows[:MOST]
    seen = _seen(connection, bound, shown)
    return Compared(
        [
            Difference(row, seen.get((place, "left")), seen.get((place, "right")))
            for place, row in enumerate(shown, 1)
        ],
        len(rows) - len(shown),
        unknown(connection, bound),
    )


def asked(left: str, right: str, methods: Sequence[str], time: Interval) -> dict[str, Any]:
    """Return the parameters of a comparison, as to some methods or all."""
    return {
        "a": left,
        "b": right,
        "method": list(methods) or None,
        "since": time.since,
        "until": time.until,
    }


def unknown(connection: psycopg.Connection[Any], bound: dict[str, Any]) -> list[str]:
    """Names of those two that have sent nothing in that time."""
    return [
        name
        for name in (bound["a"], bound["b"])
        if not _rows(connection, "is_known", bound | {"name": name})[0]["exists"]
    ]


def _seen(
    connection: psycopg.Connection[Any], bound: dict[str, Any], rows: Sequence[dict[str, Any]]
) -> dict[tuple[int, str], Place]:
    """The messages, by place and side; none where a path of theirs is none of PostgreSQL's."""
    by_column = {
        f"{column}s": [row[column] for row in rows]
        for column in ("path", "kind", "method", "left", "right")
    }
    try:
        found = _rows(connection, "seen_at", bound | by_column)
    except StatementRefused:
        return {}
    return {
        (row["place"], row["side"]): Place(row["message_id"], row["trace_id"])
        for row in found
        if row["message_id"]
    }


def _rows(
    connection: psycopg.Connection[Any], name: Any, asked: dict[str, Any]
) -> list[dict[str, Any]]:
    with in_our_words(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(name), asked).fetchall()
