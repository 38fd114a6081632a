"""OTLP requests with calls and messages as relayscope.instrumentation sends them, made to order."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import (
    SEVERITY_NUMBER_TRACE,
    LogRecord,
    ResourceLogs,
    ScopeLogs,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from relayscope.conventions.attributes import (
    CHANNEL_ID,
    CHANNEL_SEQUENCE,
    ERROR_TYPE,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    MESSAGE_SIZE,
    PEER,
)
from relayscope.conventions.events import EVENT_MESSAGE
from tests.otlp_samples import delimited

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.fix_collector import Collector

SECOND = 10**9

_NUMBERS = itertools.count(1)


def _values(attributes: Mapping[str, str | int]) -> list[KeyValue]:
    return [
        KeyValue(
            key=key,
            value=AnyValue(int_value=value)
            if isinstance(value, int)
            else AnyValue(string_value=value),
        )
        for key, value in attributes.items()
    ]


def _resource(component: str) -> Resource:
    return Resource(
        attributes=_values({"service.name": component, "service.instance.id": f"{component}-1"})
    )


def call(trace: int, span: int, start: int, seconds: float = 1, **given: Any) -> Span:
    """The CLIENT span of a `tools/call` with id 7; `given` are fields and `error_type`."""
    error = given.pop("error_type", None)
    attributes = {MCP_METHOD_NAME: "tools/call", JSONRPC_REQUEST_ID: "7"}
    attributes |= {ERROR_TYPE: error} if error else {}
    fields: dict[str, Any] = {
        "trace_id": trace.to_bytes(16, "big"),
        "span_id": span.to_bytes(8, "big"),
        "name": "tools/call",
        "kind": Span.SPAN_KIND_CLIENT,
        "start_time_unix_nano": start,
        "end_time_unix_nano": start + int(seconds * SECOND),
        "attributes": _values(attributes | given.pop("attributes", {})),
        "status": Status(code=Status.STATUS_CODE_ERROR if error else Status.STATUS_CODE_UNSET),
    }
    return Span(**(fields | given))


def message(  # noqa: PLR0913 - a message has that many parts
    trace: int,
    span: int,
    at: int,
    kind: str,
    body: str,
    *,
    sequence: int = 1,
    extra: Mapping[str, str | int] | None = None,
) -> LogRecord:
    """The record of a message of that call; what is sent is a request, the rest is received."""
    attributes = {
        MCP_METHOD_NAME: "tools/call",
        JSONRPC_REQUEST_ID: "7",
        MESSAGE_DIRECTION: "sent" if kind == "request" else "received",
        MESSAGE_KIND: kind,
        MESSAGE_SIZE: len(body),
        CHANNEL_ID: "c0ffee",
        CHANNEL_SEQUENCE: sequence,
        PEER: "127.0.0.1:9051",
    }
    return LogRecord(
        trace_id=trace.to_bytes(16, "big"),
        span_id=span.to_bytes(8, "big"),
        time_unix_nano=at,
        severity_number=SEVERITY_NUMBER_TRACE,
        severity_text="TRACE",
        event_name=EVENT_MESSAGE,
        body=AnyValue(string_value=body),
        attributes=_values(attributes | dict(extra or {})),
    )


def send(
    collector: Collector, component: str, spans: Iterable[Span], records: Iterable[LogRecord]
) -> None:
    """Send all of it, as one component, and be told that it is stored.

    What was sent before is no repeat: each request has a number, in a field that OTLP has not.
    """
    traces = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(resource=_resource(component), scope_spans=[ScopeSpans(spans=spans)])
        ]
    )
    logs = ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(resource=_resource(component), scope_logs=[ScopeLogs(log_records=records)])
        ]
    )
    for signal, request in (("traces", traces), ("logs", logs)):
        number = delimited(0x7A, b"%d" % next(_NUMBERS))
        assert collector.post(signal, request.SerializeToString() + number).status == 200
