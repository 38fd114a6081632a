"""Rows to write."""

import os
import time as clock
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, text

from relayscope.conventions.attributes import (
    CHANNEL_ID,
    CHANNEL_SEQUENCE,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    MESSAGE_SIZE,
    PEER,
    RPC_RESPONSE_STATUS_CODE,
)
from relayscope.conventions.events import EVENT_MESSAGE
from relayscope.storage import Batch, Row, rows, tables

NOW: Final = clock.time_ns()
DAY: Final = 86_400 * 10**9
PAST: Final = NOW - 3 * DAY
TRACE: Final = UUID("4bf92f35-77b3-4da6-a3ce-929d0e0e4736")
SPAN: Final = bytes.fromhex("00f067aa0ba902b7")


def _resource(service: str, process: str) -> tuple[UUID, Row]:
    attributes = {"service.name": service, "service.instance.id": process, "host.name": "h"}
    return rows.resource(attributes, "")


_RESOURCE: Final = _resource("relay", "relay")
_SCOPE: Final = rows.scope("tests", "1.0", {})


def span(*, start: int = NOW, end: int = NOW + 1_500, **columns: Any) -> Row:
    """A row of `span`; times are Unix nanoseconds, other columns as they are."""
    start_time, start_nano = rows.time(start)
    end_time, end_nano = rows.time(end)
    defaults = {
        "start_time": start_time,
        "start_nano": start_nano,
        "end_time": end_time,
        "end_nano": end_nano,
        "trace_id": TRACE.bytes,
        "span_id": SPAN,
        "flags": 1,
        "name": "tools/call",
        "kind": 2,
        "status_code": 0,
        "attributes": rows.jsonb({MCP_METHOD_NAME: "tools/call"}),
        "dropped_attributes_count": 0,
        "dropped_events_count": 0,
        "dropped_links_count": 0,
    }
    return _row(tables.span.columns.keys(), defaults, columns)


def log(body: Any = "hello", *, at: int = NOW, **columns: Any) -> Row:
    """A row of `log`."""
    time, time_nano = rows.time(at)
    defaults = {
        "time": time,
        "time_nano": time_nano,
        "trace_id": TRACE.bytes,
        "span_id": SPAN,
        "flags": 1,
        "severity_number": 1,
        "event_name": EVENT_MESSAGE,
        "body": body,
        "attributes": rows.jsonb({MCP_METHOD_NAME: "tools/call"}),
        "dropped_attributes_count": 0,
    }
    return _row(tables.log.columns.keys(), defaults, columns)


def point(*, at: int = NOW, **columns: Any) -> Row:
    """A row of `metric_point`."""
    time, time_nano = rows.time(at)
    defaults = {
        "time": time,
        "time_nano": time_nano,
        "name": "mcp.client.operation.duration",
        "unit": "s",
        "kind": 1,
        "value": 0.5,
        "flags": 0,
        "attributes": rows.jsonb({}),
    }
    return _row(tables.metric_point.columns.keys(), defaults, columns)


def batch(*, service: str = "relay", process: str = "", **records: list[Row]) -> Batch:
    """A request with a digest of its own, for records of this module; `service` sends it."""
    resource_id, resource = _resource(service, process or service)
    scope_id, scope = _SCOPE
    if resource_id != _RESOURCE[0]:
        records = {
            name: [(*row[:-2], resource_id.bytes, row[-1]) for row in some]
            for name, some in records.items()
        }
    return Batch(os.urandom(16), {resource_id: resource}, {scope_id: scope}, **records)


def _row(names: list[str], defaults: dict[str, Any], columns: dict[str, Any]) -> Row:
    ids = {"resource_id": _RESOURCE[0].bytes, "scope_id": _SCOPE[0].bytes}
    values = defaults | ids | columns
    return tuple(values.get(name) for name in names)


def messages(count: int, at: int = PAST) -> list[Row]:
    """Messages that differ in all that a sealed record keeps apart."""
    return [
        log(
            f'{{"jsonrpc":"2.0","id":{number},"word":"w{number}x"}}',
            at=at + number * 1_000_001,
            severity_number=17 if number % 10 == 0 else 1,
            severity_text="ERROR" if number % 10 == 0 else None,
            observed_time=rows.time(at)[0] if number % 3 else None,
            observed_nano=7 if number % 3 else None,
            attributes=rows.jsonb(
                {
                    PEER: f"127.0.0.1:{number % 5}",
                    MESSAGE_DIRECTION: "sent",
                    MESSAGE_KIND: "request",
                    MESSAGE_SIZE: number,
                    CHANNEL_ID: "c1",
                    CHANNEL_SEQUENCE: number,
                    JSONRPC_REQUEST_ID: str(number),
                    MCP_METHOD_NAME: "tools/call",
                    GEN_AI_TOOL_NAME: f"tool{number % 7}",
                    RPC_RESPONSE_STATUS_CODE: "-32601" if number % 4 else "none",
                }
            ),
        )
        for number in range(count)
    ]


def found(engine: Engine, needle: str, **bounds: Any) -> int:
    """Return the number of records that `search` finds."""
    with engine.connect() as connection:
        return len(
            connection.execute(
                text("select * from relayscope.search(:needle, most => 50)"), {"needle": needle}
            ).all()
        )
