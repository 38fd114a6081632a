"""Differences between what two peers send, with the messages that show them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import dict_row

from relayscope.collector.page.behind import Statement, behind
from relayscope.collector.query.errors import StatementRefused
from relayscope.collector.query.named_query import in_our_words
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import psycopg

    from relayscope.collector.page.interval import Interval

_JSONPATH: Final = re.compile(r'(?:[^":]+|"(?:[^"\\]|\\.)*"|:(?!:json))*', re.DOTALL)
"""A path without what `message_diff` adds to it where a text is JSON: `::json`."""

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
    """All that two peers differ in.

    Attributes:
        differences: Those that are shown.
        more: Number of those that are not.
        unknown: Names of those two that have sent nothing.
        statements: The SQL behind it.
    """

    differences: Sequence[Difference]
    more: int
    unknown: Sequence[str]
    statements: Sequence[Statement]


def names(connection: psycopg.Connection[Any], time: Interval) -> list[str]:
    """Names of all that have sent anything in that time."""
    rows = _rows(connection, "known", {"since": time.since, "until": time.until})
    return [row["name"] for row in rows if row["name"]]


def compared(
    connection: psycopg.Connection[Any], left: str, right: str, method: str, time: Interval
) -> Compared:
    """Compare two peers, or components, in that time, as to one method or all."""
    bound = asked(left, right, [method] if method else [], time)
    missing = unknown(connection, bound)
    rows = _rows(connection, "difference_of_peers", bound)
    shown = rows[:MOST]
    seen = _seen(connection, bound, shown)
    return Compared(
        [
            Difference(row, seen.get((place, "left")), seen.get((place, "right")))
            for place, row in enumerate(shown, 1)
        ],
        len(rows) - len(shown),
        missing,
        behind(bound, "difference_of_peers"),
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
    """The messages, by place and side; none where PostgreSQL takes one of their paths for none."""
    paths = [outside(row["path"]) for row in rows]
    by_column: dict[str, list[Any]] = {"paths": paths}
    for column in ("kind", "method"):
        by_column[f"{column}s"] = [row[column] for row in rows]
    for side in ("left", "right"):
        # Where the value is within a text, its message is found by where that text is.
        by_column[f"{side}s"] = [
            row[side] if path == row["path"] else None
            for row, path in zip(rows, paths, strict=True)
        ]
    try:
        # On its own: what was refused ends no more than this.
        with connection.transaction():
            found = _rows(connection, "seen_at", bound | by_column)
    except StatementRefused:
        return {}
    return {
        (row["place"], row["side"]): Place(row["message_id"], row["trace_id"])
        for row in found
        if row["message_id"]
    }


def outside(path: str) -> str:
    """The path up to the first text that is itself JSON, which is as far as jsonpath goes."""
    found = _JSONPATH.match(path)
    return found[0] if found else path


def _rows(
    connection: psycopg.Connection[Any], name: Any, asked: dict[str, Any]
) -> list[dict[str, Any]]:
    with in_our_words(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(name), asked).fetchall()
