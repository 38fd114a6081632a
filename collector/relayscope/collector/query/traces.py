"""Finding a trace and loading it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads

from relayscope.collector.query.errors import TraceMissing
from relayscope.collector.query.lookback import EARLIEST, EVERYTHING, LATEST, Window, up_to, windows
from relayscope.collector.query.named_query import in_our_words
from relayscope.collector.query.queries import query
from relayscope.collector.query.records import Message, Record, Span, SpanEvent
from relayscope.collector.query.trace_tree import build
from relayscope.collector.text.times import date_of
from relayscope.conventions.events import EVENT_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    import psycopg

    from relayscope.collector.query.trace_tree import Trace

WHOLE: Final = 2**31 - 1
"""More characters than a body can have."""

_AFTER: Final = timedelta(seconds=1)
"""Time after the last record of a trace in which there may be what belongs to it."""


def load(  # noqa: PLR0913 - a part of a trace has that many bounds
    connection: psycopg.Connection[Any],
    trace_id: UUID,
    *,
    limit: int,
    characters: int = WHOLE,
    skipped: int = 0,
    chosen: str = "",
) -> Trace:
    """Load a trace.

    Args:
        connection: as `database.reading` gives it.
        trace_id: the trace's id.
        limit: upper bound of spans, and of records; the earliest of each are loaded.
        characters: upper bound of each body's length.
        skipped: number of records, the earliest, that are left out.
        chosen: id of a span that is loaded also if it is none of the earliest.

    Raises:
        TraceMissing: neither a span nor a record of it is stored.
        DatabaseMissing: relayscope never wrote to this database.
    """
    set_json_loads(orjson.loads, connection)
    bound = {"trace_id": trace_id, "characters": characters, "skipped": skipped, "chosen": chosen}
    with in_our_words():
        spans = _rows(connection, query("spans_of_trace"), bound | {"spans": limit + 1})
        records = _rows(connection, query("records_of_trace"), bound | {"records": limit + 1})
    if not spans and not records:
        raise TraceMissing(
            f"no trace {trace_id.hex} is stored (a process sends its spans when they have ended)"
        )
    trace = build(trace_id, map(_span, spans[:limit]), map(_record, records[:limit]))
    return replace(trace, more_spans=len(spans) > limit, more_records=len(records) > limit)


def with_strays(connection: psycopg.Connection[Any], trace: Trace, *, limit: int) -> Trace:
    """Add what is in no trace, but was on connections of this one while it lasted.

    An answer that belongs to no request has no trace, and may be what was taken for an answer here.
    It may as well belong to another call on that connection, so it is a stray, and counts nowhere.
    So is the closing of a connection that broke off while a call on it had no answer, which may be
    why.

    Args:
        connection: as `database.reading` gives it.
        trace: the trace to add to.
        limit: upper bound of such records; the earliest are added.
    """
    records = list(trace.records())
    messages = [record for record in records if isinstance(record, Message)]
    if not messages:
        return trace
    times = [record.time for record in records]
    times += [node.span.end for node in trace.nodes() if node.span is not None]
    asked = {
        "channels": list({message.channel for message in messages if message.channel}),
        "unanswered": list(_unanswered(messages)),
        "since": _moment(min(times)),
        "until": _moment(max(times)) + _AFTER,
        "records": limit,
        "characters": WHOLE,
    }
    with in_our_words():
        rows = _rows(connection, query("beside_trace"), asked)
    return replace(trace, strays=tuple(map(_record, rows)))


def _unanswered(messages: Iterable[Message]) -> set[str]:
    """Return the channels on which a request of a trace has no answer in it."""
    answers = {(one.channel, one.request_id) for one in messages if one.is_answer}
    return {
        one.channel
        for one in messages
        if one.channel and one.kind == "request" and (one.channel, one.request_id) not in answers
    }


def newest(connection: psycopg.Connection[Any]) -> UUID:
    """Find the trace of the last call a client made.

    That is the trace that began last among those with a call other than a handshake, `ping` or a
    notification, as reconnecting relays make those all the time. If there is none, the trace of the
    span that began last, so that a handshake that failed can be seen too. Traces that seem to begin
    in the future only count if there are no others.

    Raises:
        TraceMissing: nothing is stored.
        DatabaseMissing: relayscope never wrote to this database.
    """
    with in_our_words():
        # A span from next year is not what just happened.
        until_now = Window(EARLIEST, up_to(LATEST))
        looked_at = [*windows(connection, "newest_spans", until_now), EVERYTHING]
        for statement in (query("newest_call"), query("newest_trace")):
            for window in looked_at:
                rows = _rows(connection, statement, window._asdict())
                if rows:
                    trace_id: UUID = rows[0]["trace_id"]
                    return trace_id
    raise TraceMissing("no trace is stored yet")


def _rows(
    connection: psycopg.Connection[Any], statement: Any, values: dict[str, Any]
) -> list[DictRow]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()


def _moment(ns: int) -> datetime:
    # None is said of a clock that is far off.
    return date_of(ns) or datetime.max.replace(tzinfo=UTC) - _AFTER


def _span(row: DictRow) -> Span:
    return Span(
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"],
        component=row["component"],
        name=row["name"],
        kind=row["kind"],
        start=int(row["start_unix_nano"]),
        end=int(row["end_unix_nano"]),
        status=row["status"],
        status_message=row["status_message"],
        attributes=row["attributes"] or {},
        events=tuple(
            SpanEvent(event["time"], event["name"], event.get("attributes") or {})
            for event in row["events"] or ()
        ),
        links=tuple(row["links"] or ()),
    )


def _record(row: DictRow) -> Record:
    kind = Message if row["event_name"] == EVENT_MESSAGE else Record
    return kind(
        span_id=row["span_id"],
        component=row["component"],
        time=int(row["time_unix_nano"]),
        event_name=row["event_name"],
        severity_number=row["severity_number"],
        severity_text=row["severity_text"],
        body=row["body"],
        body_length=row["body_length"],
        body_digest=row["body_digest"],
        attributes=row["attributes"] or {},
    )
