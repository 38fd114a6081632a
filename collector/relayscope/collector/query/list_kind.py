"""The lists that there are: by what each is filtered and sorted, in a terminal and on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import LiteralString

ORDERS: Final = ("descending", "ascending")
"""The greatest or the newest come first, or the least or the oldest; the first is usual."""


class ListKind(NamedTuple):
    """A list, whose statement has its name.

    Attributes:
        name: Of the command, of the page, and of the statement.
        filters: The names of the filters that it takes.
        sorts: The columns by which it is sorted, beside the time.
        searched: The name of the statement that finds a text or attributes; the same if one does
            both.
        columns: Of its rows.
        texts: Those of them that may be very long.
        time: The column that holds the time.
        orders: From which end on it can be read; empty if only the newest come first.
        newest: The name of the statement that finds its edge with the newest rows.
        oldest: The name of that for the other edge.
    """

    name: LiteralString
    filters: tuple[str, ...]
    sorts: tuple[str, ...]
    searched: LiteralString
    columns: tuple[LiteralString, ...]
    texts: tuple[LiteralString, ...] = ()
    time: LiteralString = "time"
    orders: tuple[str, ...] = ORDERS
    newest: LiteralString = "newest_records"
    oldest: LiteralString = "oldest_records"

    def statement(self, bound: Mapping[str, object]) -> LiteralString:
        """The name of the statement for these parameters.

        What is of a trace, and what is odd, is found by that sooner than by its attributes.
        """
        has_attributes = bound["attributes"] is not None
        is_few = bound["trace"] is not None or bound["odd"]
        is_searched = bound["text"] is not None or (has_attributes and not is_few)
        return self.searched if is_searched else self.name


TRACES: Final = ListKind(
    "traces",
    (
        *("component", "peer", "method", "tool", "outcome", "failed", "odd", "slower_than"),
        *("trace", "text", "attribute", "since", "until"),
    ),
    ("duration", "errors", "messages", "odd_messages"),
    "traces",
    (
        *("start_time", "trace_id", "name", "component", "components", "duration", "spans"),
        *("errors", "messages", "odd_messages"),
    ),
    time="start_time",
    newest="newest_spans",
    oldest="oldest_spans",
)
CALLS: Final = ListKind(
    "calls",
    (
        *("component", "peer", "side", "method", "tool", "outcome", "failed", "odd"),
        *("slower_than", "trace", "text", "attribute", "since", "until"),
    ),
    ("duration",),
    "calls",
    (
        *("time", "component", "side", "peer", "method", "tool", "outcome", "duration", "waited"),
        *("error_type", "error_code", "odd", "request_id", "trace_id", "span_id", "request"),
        "answer",
    ),
    ("request", "answer"),
    newest="newest_calls",
    oldest="oldest_calls",
)
MESSAGES: Final = ListKind(
    "messages",
    (
        *("component", "peer", "direction", "kind", "method", "tool", "failed", "odd", "trace"),
        *("level", "text", "attribute", "since", "until"),
    ),
    ("size",),
    "messages_searched",
    (
        *("time", "component", "direction", "peer", "kind", "method", "tool", "request_id"),
        *("error_code", "odd", "message_id", "body", "size", "trace_id", "span_id"),
        *("time_unix_nano", "attributes"),
    ),
    ("body",),
)
LOGS: Final = ListKind(
    "logs",
    ("component", "level", "text", "attribute", "trace", "since", "until", "all"),
    (),
    "logs_searched",
    (
        *("time", "component", "severity_text", "severity_number", "event_name", "body"),
        *("trace_id", "span_id", "time_unix_nano", "attributes"),
    ),
    ("body",),
)
RECORDS: Final = ListKind(
    "records",
    (
        *("component", "peer", "direction", "kind", "method", "tool", "failed", "odd", "trace"),
        *("level", "text", "attribute", "since", "until", "all"),
    ),
    (),
    "records",
    (
        *("time", "component", "severity_text", "severity_number", "event_name", "direction"),
        *("peer", "kind", "method", "tool", "request_id", "odd", "body", "trace_id", "span_id"),
        *("time_unix_nano", "attributes"),
    ),
    ("body",),
    orders=(),
)
"""Both kinds of records, as `relayscope tail` shows them."""
