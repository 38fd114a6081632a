"""Calls that went wrong, and what else is known of those that need more said about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from relayscope.collector.query.named_query import rows
from relayscope.collector.query.unlisted_tool import PAGES, is_unknown_tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta
    from typing import LiteralString

    import psycopg

    Row = dict[str, Any]

_OF_CALL: Final = (
    *("trace_id", "span_id", "component", "outcome", "error_type", "odd", "said"),
    *("side", "peer", "callee", "last_time"),
)


def load(connection: psycopg.Connection[Any], bound: Mapping[str, object]) -> list[Row]:
    """The rows of `failed_calls`, each with what explains it.

    Args:
        connection: As `database.reading` gives it.
        bound: The parameters of the statement.

    Raises:
        ReadingError: With PostgreSQL's words, and what to do.
    """
    found = rows(connection, "failed_calls", bound)
    for name, about in explained_by(found, bound):
        for more in rows(connection, name, about):
            found[more["place"]] |= {name: said for name, said in more.items() if said is not None}
    return found


def explained_by(
    found: Sequence[Row], bound: Mapping[str, object]
) -> Iterator[tuple[LiteralString, dict[str, object]]]:
    """The statements that say more about rows of `failed_calls`, with their parameters."""
    without_answer = [
        {"place": place, **_picked(row, *_OF_CALL), "seconds": _seconds(row["waited"])}
        for place, row in enumerate(found)
        if row["outcome"] in ("unanswered", "transport_error")
    ]
    unknown = [
        {"place": place, **_picked(row, "component", "side", "peer")}
        for place, row in enumerate(found)
        if row["outcome"] in ("tool_error", "protocol_error") and is_unknown_tool(row)
    ]
    served = [
        {"place": place, **_picked(row, "trace_id", "span_id")}
        for place, row in enumerate(found)
        if row["outcome"] in ("tool_error", "protocol_error") and row["side"] == "server"
    ]
    if without_answer:
        yield "calls_without_answer", _about(without_answer, bound)
    if unknown:
        yield "tools_listed", _about(unknown, bound) | {"pages": PAGES}
    if served:
        yield "answers_below", _about(served, bound)


def _picked(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}


def _seconds(waited: timedelta | None) -> float | None:
    return None if waited is None else waited.total_seconds()


def _about(calls: Iterable[Mapping[str, object]], bound: Mapping[str, object]) -> dict[str, object]:
    return {**bound, "calls": orjson.dumps(list(calls)).decode()}
