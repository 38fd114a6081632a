"""Traces as relayscope.instrumentation would have recorded them, and a way to store them."""

from __future__ import annotations

import hashlib
import itertools
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from relayscope.collector.query.records import Message, Record, Span, SpanEvent
from relayscope.conventions.attributes import (
    CHANNEL_ID,
    CHANNEL_SEQUENCE,
    ERROR_TYPE,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    MESSAGE_ODD,
    MESSAGE_SIZE,
    PEER,
    RPC_RESPONSE_STATUS_CODE,
)
from relayscope.conventions.events import EVENT_MESSAGE
from relayscope.storage import Batch, Writer, create_engine, migrate
from relayscope.storage.rows import jsonb, resource, scope, time

if TYPE_CHECKING:
    from collections.abc import Iterable

TRACE_ID: Final = UUID("4bf92f3577b34da6a3ce929d0e0e4736")
HOSTILE_TRACE_ID: Final = UUID("5bf92f3577b34da6a3ce929d0e0e4736")
START: Final = 1_763_888_854_123_456_789
"""2025-11-23 09:07:34.123456789 UTC."""

HOSTILE: Final = "\x1b]0;owned\a\x1b[2J\r\x9b31m\u202e\u2066\u200b\ufeff\U000e0041[red]:boom:\x7f"
"""Sets the title, clears the screen, writes over the line, turns it around, hides text, paints."""

KINDS: Final = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES: Final = ("unset", "ok", "error")

_sequence = itertools.count(1)


def at(ms: float) -> int:
    """A moment in the sample traces, in ns since 1970."""
    return START + round(ms * 1e6)


def span(  # noqa: PLR0913 - a span has that many parts
    span_id: str,
    parent: str | None,
    component: str,
    name: str,
    *,
    kind: str,
    times: tuple[float, float],
    error: tuple[str, str | None] | None = None,
    events: tuple[SpanEvent, ...] = (),
    method: str | None = None,
) -> Span:
    """A span; `times` are its start and end in ms, `error` its `error.type` and status message."""
    attributes: dict[str, Any] = {MCP_METHOD_NAME: method or name.split(maxsplit=1)[0]}
    if error:
        attributes[ERROR_TYPE] = error[0]
    return Span(
        span_id=span_id,
        parent_span_id=parent,
        component=component,
        name=name,
        kind=kind,
        start=at(times[0]),
        end=at(times[1]),
        status="error" if error else "unset",
        status_message=error[1] if error else None,
        attributes=attributes,
        events=events,
    )


def message(
    where: Span, ms: float, direction: str, body: str, peer: str = "stdio", **attributes: str
) -> Message:
    """A message, its attributes read from its text as the instrumentation does."""
    content = json.loads(body)
    kind = next(
        (name for name in ("error", "result") if name in content),
        "request" if "id" in content else "notification",
    )
    described: dict[str, Any] = {
        MESSAGE_DIRECTION: direction,
        MESSAGE_KIND: kind,
        MESSAGE_SIZE: len(body.encode()),
        CHANNEL_ID: f"{where.component} {peer}",
        CHANNEL_SEQUENCE: next(_sequence),
        PEER: peer,
        MCP_METHOD_NAME: where.attributes[MCP_METHOD_NAME],
    }
    if content.get("id") is not None:
        described[JSONRPC_REQUEST_ID] = str(content["id"])
    if kind == "error":
        described[RPC_RESPONSE_STATUS_CODE] = str(content["error"]["code"])
    return Message(
        span_id=where.span_id,
        component=where.component,
        time=at(ms),
        event_name=EVENT_MESSAGE,
        severity_number=13 if MESSAGE_ODD in attributes else 1,
        severity_text="WARN" if MESSAGE_ODD in attributes else "TRACE",
        body=body,
        body_length=len(body),
        body_digest=hashlib.sha256(body.encode()).digest(),
        attributes=described | attributes,
    )


def log(
    where: Span | None, component: str, ms: float, severity: tuple[int, str], body: str
) -> Record:
    """A log record of the host's own."""
    return Record(
        span_id=where.span_id if where else None,
        component=component,
        time=at(ms),
        event_name=None,
        severity_number=severity[0],
        severity_text=severity[1],
        body=body,
        body_length=len(body),
        body_digest=hashlib.sha256(body.encode()).digest(),
        attributes={},
    )


def relayed_call() -> tuple[list[Span], list[Record]]:
    """A call through a relay: three processes, four legs, eight message records.

    The relay also fails to connect to one backend, and another does not answer its request but
    sends an error that belongs to none.
    """
    client, relay = ("00f067aa0ba902b7", "11f067aa0ba902b7")
    out, backend = ("22f067aa0ba902b7", "33f067aa0ba902b7")
    call = "tools/call get_current_time"
    spans = [
        span(client, None, "client", call, kind="client", times=(0, 12.43)),
        span(relay, client, "iccm-relay", call, kind="server", times=(0.61, 11.9)),
        span(
            "44f067aa0ba902b7",
            relay,
            "iccm-relay",
            "connect gates",
            kind="client",
            times=(1.0, 1.3),
            error=("ConnectionRefusedError", "Connect call failed ('127.0.0.1', 9150)"),
            method="initialize",
        ),
        span(out, relay, "iccm-relay", call, kind="client", times=(1.44, 11.2)),
        span(backend, out, "time-server", call, kind="server", times=(2.9, 9.77)),
        span(
            "55f067aa0ba902b7",
            relay,
            "iccm-relay",
            "tools/list",
            kind="client",
            times=(11.21, 11.79),
            error=("unanswered", None),
        ),
    ]
    asked, at_relay, _, from_relay, at_backend, unanswered = spans
    arguments = '{"name": "get_current_time", "arguments": {"timezone": "Europe/Berlin"}'
    first = (
        '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"_meta":{"traceparent":'
        f'"00-{TRACE_ID.hex}-{client}-03"}},"name":"get_current_time",'
        '"arguments":{"timezone":"Europe/Berlin"}}}'
    )
    second = (
        f'{{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {arguments}, '
        f'"_meta": {{"traceparent": "00-{TRACE_ID.hex}-{out}-03"}}}}}}'
    )
    content = json.dumps({"timezone": "Europe/Berlin", "datetime": "2025-11-23T10:07:34+01:00"})
    result = {"content": [{"type": "text", "text": content}], "isError": False}
    answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result})
    passed_on = json.dumps({"jsonrpc": "2.0", "id": 3, "result": result})
    orphan = '{"jsonrpc": "2.0", "error": {"code": -32603, "message": "Unknown method"}}'
    records: list[Record] = [
        message(asked, 0.05, "sent", first),
        message(at_relay, 0.63, "received", first),
        message(from_relay, 1.5, "sent", second, "127.0.0.1:9051"),
        message(at_backend, 2.95, "received", second, "127.0.0.1:48230"),
        message(at_backend, 9.7, "sent", answer, "127.0.0.1:48230"),
        message(from_relay, 11.1, "received", answer, "127.0.0.1:9051"),
        message(unanswered, 11.3, "sent", '{"id": 2, "method": "tools/list"}', "127.0.0.1:9052"),
        message(
            unanswered,
            11.5,
            "received",
            orphan,
            "127.0.0.1:9052",
            **{MESSAGE_ODD: "orphan_answer"},
        ),
        message(at_relay, 11.8, "sent", passed_on),
        message(asked, 12.4, "received", passed_on),
        log(at_relay, "iccm-relay", 1.31, (13, "WARN"), "backend gates is away"),
    ]
    return spans, records


def hostile_call() -> tuple[list[Span], list[Record]]:
    """A call of which every text is hostile: component, name, kind of event, key, error, body."""
    where = span(
        "66f067aa0ba902b7",
        None,
        f"client{HOSTILE}",
        f"tools/call {HOSTILE}",
        kind="client",
        times=(60_000, 60_001),
        error=(f"Error{HOSTILE}", f"failed\n{HOSTILE}"),
        events=(SpanEvent(at(60_000.5), HOSTILE, {"exception.type": HOSTILE, HOSTILE: HOSTILE}),),
    )
    body = json.dumps({"method": "tools/call", "id": 1, "params": {}})
    extra = {
        PEER: HOSTILE,
        MESSAGE_ODD: HOSTILE,
        MCP_METHOD_NAME: HOSTILE,
        JSONRPC_REQUEST_ID: HOSTILE,
        HOSTILE: HOSTILE,
    }
    request = message(where, 60_000.1, "sent", body, **extra)
    records = [
        request,
        log(where, f"client{HOSTILE}", 60_000.2, (17, f"ERROR{HOSTILE}"), f"{HOSTILE}\n{HOSTILE}"),
    ]
    return [where], records


def store(
    database_url: str,
    spans: Iterable[Span],
    records: Iterable[Record],
    trace_id: UUID = TRACE_ID,
) -> None:
    """Write a trace to a database as the collector does, one request for all of it."""
    batch = Batch(digest=hashlib.blake2b(trace_id.bytes, digest_size=16).digest())
    scope_id, scope_row = scope("relayscope", "0.1.0", {})
    batch.scopes[scope_id] = scope_row

    def resource_of(component: str) -> bytes:
        resource_id, row = resource({"service.name": component}, "")
        batch.resources[resource_id] = row
        return resource_id.bytes

    for one in spans:
        events = [
            {"time": event.time, "name": event.name, "attributes": event.attributes}
            for event in one.events
        ]
        batch.spans.append(
            (
                *time(one.start),
                *time(one.end),
                trace_id.bytes,
                bytes.fromhex(one.span_id),
                bytes.fromhex(one.parent_span_id) if one.parent_span_id else None,
                None,
                0,
                one.name,
                KINDS.index(one.kind),
                STATUSES.index(one.status),
                one.status_message,
                jsonb(one.attributes),
                jsonb(events) if events else None,
                jsonb(list(one.links)) if one.links else None,
                0,
                0,
                0,
                resource_of(one.component),
                scope_id.bytes,
            )
        )
    batch.logs += [
        (
            *time(record.time),
            None,
            None,
            trace_id.bytes,
            bytes.fromhex(record.span_id) if record.span_id else None,
            0,
            record.severity_number,
            record.severity_text,
            record.event_name,
            record.body,
            None,
            jsonb(record.attributes),
            0,
            resource_of(record.component),
            scope_id.bytes,
        )
        for record in records
    ]
    engine = create_engine(database_url)
    migrate(engine)
    with closing(Writer(engine)) as writer:
        (outcome,) = writer.write([batch])
    engine.dispose()
    assert not outcome.rejected, outcome.reason
