"""The part of a trace that is looked at, where it has more records than are shown at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import DictRow, dict_row

from relayscope.collector.query.named_query import in_our_words
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    import psycopg

_MESSAGE: Final = re.compile(r"(?P<channel>.+)/(?P<sequence>[0-9]{1,18})(?:~[0-9]+)?", re.DOTALL)
_LOG: Final = re.compile(r"log:(?P<time_unix_nano>[0-9]{1,19})(?:~[0-9]+)?")
"""Names of records, as the page's addresses have them; of several that share one, with a number."""


@dataclass(frozen=True, slots=True)
class Part:
    """Records of a trace one after another, in the order of time.

    Attributes:
        first: The place of the first of them in the trace, counted from 1.
        last: That of the last.
        records: The number of records in the trace.
        messages: The number of them that are messages.
        odd: The number of these that are odd.
    """

    first: int
    last: int
    records: int
    messages: int
    odd: int


def part_of(
    connection: psycopg.Connection[Any], trace_id: UUID, *, first: int, loaded: int
) -> Part:
    """Count what a trace has, of which so many records from the `first` on were loaded."""
    row = _row(connection, "size_of_trace", {"trace_id": trace_id})
    return Part(first, first + loaded - 1, row["records"], row["messages"], row["odd"])


def place_of(connection: psycopg.Connection[Any], trace_id: UUID, name: str) -> int | None:
    """Find how many records of a trace come before one; None if it has none of that name."""
    asked = dict.fromkeys(("channel", "sequence", "time_unix_nano"))
    if (found := _LOG.fullmatch(name) or _MESSAGE.fullmatch(name)) is None:
        return None
    said = found.groupdict()
    if "\0" in said.get("channel", ""):
        return None
    row = _row(connection, "place_in_trace", {"trace_id": trace_id, **asked, **said})
    return row["place"] if row["records"] else None


def _row(connection: psycopg.Connection[Any], name: str, asked: Mapping[str, object]) -> DictRow:
    with in_our_words(), connection.cursor(row_factory=dict_row) as cursor:
        (row,) = cursor.execute(query(name), asked).fetchall()
    return row
