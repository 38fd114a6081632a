"""OTLP requests out of spooled records. Runs in the forwarder."""

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.logs.v1.logs_pb2 import (
    LogRecord,
    ResourceLogs,
    ScopeLogs,
    SeverityNumber,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import (
    ResourceSpans,
    ScopeSpans,
    Span,
    SpanFlags,
    Status,
)

from relayscope.conventions.attributes import (
    BODY_SHA256,
    BODY_SIZE,
    DELIVERY_DROPPED,
    DELIVERY_EMITTED,
    DELIVERY_SEQUENCE,
    SCOPE,
)
from relayscope.conventions.events import EVENT_DELIVERY

from .fields import LogFields, Scope, SpanFields

LARGEST_REQUEST: Final = 4 * 2**20
"""Bytes; what OTLP/gRPC receivers take by default (reliability of gRPC's own default)."""

_BODY_LIMITS: Final = (3 * 2**20, 64 * 1024, 1024)
"""To how many bytes the texts of a record are cut that is too large alone: the first that fits."""
_LONGEST_REPEATED: Final = 64
_ATTRIBUTE_LIMIT: Final = 64 * 1024
_WARN: Final = SeverityNumber.SEVERITY_NUMBER_WARN


class Signal(Enum):
    """The signal of a request."""

    TRACES = "traces"
    LOGS = "logs"


class Request(NamedTuple):
    """An OTLP request.

    Attributes:
        signal: Its signal.
        records: Number of numbered records in it.
        body: Its bytes, which are the same each time it is sent.
    """

    signal: Signal
    records: int
    body: bytes


class TooLarge(Exception):
    """A single record that no request can hold, however much of its text is cut."""


def logs_request(logs: Sequence[LogFields], resource: Mapping[str, Any]) -> Request:
    """Return the request of these log records; it may be too large."""
    groups = _grouped(logs, resource)
    message = ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                resource=Resource(attributes=_attributes(attributes)),
                scope_logs=[
                    ScopeLogs(
                        scope=_scope(scope),
                        schema_url=scope[2],
                        log_records=[_log(fields) for fields in records],
                    )
                    for scope, records in scopes
                ],
            )
            for attributes, scopes in groups
        ]
    )
    return Request(Signal.LOGS, len(logs), message.SerializeToString())


def traces_request(spans: Sequence[SpanFields], resource: Mapping[str, Any]) -> Request:
    """Return the request of these spans; it may be too large."""
    groups = _grouped(spans, resource)
    message = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=_attributes(attributes)),
                scope_spans=[
                    ScopeSpans(
                        scope=_scope(scope),
                        schema_url=scope[2],
                        spans=[_span(fields) for fields in records],
                    )
                    for scope, records in scopes
                ],
            )
            for attributes, scopes in groups
        ]
    )
    return Request(Signal.TRACES, len(spans), message.SerializeToString())


def account_request(
    attributes: Mapping[str, Any], time: int, resource: Mapping[str, Any]
) -> Request:
    """Return the request of a process's account: a warning if something was dropped."""
    dropped: Mapping[str, int] = attributes[DELIVERY_DROPPED]
    told: dict[str, Any] = {}
    if dropped:
        reasons = ", ".join(f"{records:,} {reason}" for reason, records in dropped.items())
        text = f"dropped: {reasons}; of {attributes[DELIVERY_EMITTED]:,} records"
        told = {"severity_number": _WARN, "severity_text": "WARN", "body": _value(text)}
    record = LogRecord(
        time_unix_nano=time,
        observed_time_unix_nano=time,
        event_name=EVENT_DELIVERY,
        **told,
        attributes=_attributes(attributes),
    )
    message = ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                resource=Resource(attributes=_attributes(resource)),
                scope_logs=[
                    ScopeLogs(scope=InstrumentationScope(name=SCOPE), log_records=[record])
                ],
            )
        ]
    )
    return Request(Signal.LOGS, 0, message.SerializeToString())


def cut_log(fields: LogFields, resource: Mapping[str, Any]) -> Request:
    """Return the request of one log record, cut so that it fits.

    Raises:
        TooLarge: Nothing helped.
    """
    body = fields.body if isinstance(fields.body, str) else repr(fields.body)
    data = body.encode("utf-8", "surrogatepass")
    told = {BODY_SIZE: len(data), BODY_SHA256: hashlib.sha256(data).hexdigest()}
    for limit in _BODY_LIMITS:
        attributes = _cut_values(fields.attributes, min(limit, _ATTRIBUTE_LIMIT))
        cut = fields._replace(
            body=data[:limit].decode("utf-8", "ignore"), attributes=attributes | told
        )
        request = logs_request([cut], resource)
        if len(request.body) <= LARGEST_REQUEST:
            return request
    raise TooLarge


def cut_span(fields: SpanFields, resource: Mapping[str, Any]) -> Request:
    """Return the request of one span, cut so that it fits; first its texts, then its events.

    Raises:
        TooLarge: Nothing helped.
    """
    for limit in (_ATTRIBUTE_LIMIT, 1024):
        cut = fields._replace(
            name=_cut_text(fields.name, limit),
            status_message=_cut_text(fields.status_message, limit),
            attributes=_cut_values(fields.attributes, limit),
            events=[
                (_cut_text(name, limit), time, _cut_values(attributes, limit), dropped)
                for name, time, attributes, dropped in fields.events
            ],
        )
        request = traces_request([cut], resource)
        if len(request.body) <= LARGEST_REQUEST:
            return request
    raise TooLarge


def split(request: Request) -> list[Request]:
    """Return two requests that hold the halves of a request's records."""
    half = request.records // 2
    return [_slice(request, 0, half), _slice(request, half, request.records)]


def _slice(request: Request, first: int, end: int) -> Request:
    message: Any
    if request.signal is Signal.LOGS:
        message = ExportLogsServiceRequest.FromString(request.body)
        groups = [scope.log_records for each in message.resource_logs for scope in each.scope_logs]
    else:
        message = ExportTraceServiceRequest.FromString(request.body)
        groups = [scope.spans for each in message.resource_spans for scope in each.scope_spans]
    number = 0
    for records in groups:
        kept = [record for place, record in enumerate(records, number) if first <= place < end]
        number += len(records)
        del records[:]
        records.extend(kept)
    return Request(request.signal, end - first, message.SerializeToString())


def _grouped(records: Iterable[Any], resource: Mapping[str, Any]) -> list[Any]:
    """Records by resource and scope, each in the order in which they came."""
    resources: dict[str, tuple[Mapping[str, Any], dict[str, tuple[Scope, list[Any]]]]] = {}
    for fields in records:
        own = fields.resource is None
        key = "" if own else repr(fields.resource)
        attributes = resource if own else fields.resource | _identity(resource)
        _, scopes = resources.setdefault(key, (attributes, {}))
        scopes.setdefault(repr(fields.scope), (fields.scope, []))[1].append(fields)
    return [(attributes, scopes.values()) for attributes, scopes in resources.values()]


def _identity(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that identify the process, whatever resource a record has."""
    return {key: resource[key] for key in ("service.instance.id", "process.pid") if key in resource}


def _log(fields: LogFields) -> LogRecord:
    attributes = _attributes(fields.attributes)
    attributes.append(_sequence(fields.number))
    return LogRecord(
        time_unix_nano=fields.time,
        observed_time_unix_nano=fields.observed_time,
        trace_id=fields.trace_id,
        span_id=fields.span_id,
        flags=fields.flags,
        severity_number=fields.severity_number,  # type: ignore[arg-type]  # the enum is an int
        severity_text=fields.severity_text,
        event_name=fields.event_name,
        body=_value(fields.body),
        attributes=attributes,
        dropped_attributes_count=fields.dropped_attributes,
    )


def _span(fields: SpanFields) -> Span:
    attributes = _attributes(fields.attributes)
    attributes.append(_sequence(fields.number))
    dropped_attributes, dropped_events, dropped_links = fields.dropped
    return Span(
        trace_id=fields.trace_id,
        span_id=fields.span_id,
        parent_span_id=fields.parent_span_id,
        trace_state=fields.trace_state,
        flags=_flags(is_remote=fields.parent_is_remote),
        name=fields.name,
        # OTLP counts kinds from "unspecified", the SDK from "internal".
        kind=fields.span_kind + 1,  # type: ignore[arg-type]  # the enum is an int
        start_time_unix_nano=fields.start_time,
        end_time_unix_nano=fields.end_time,
        attributes=attributes,
        events=[
            Span.Event(
                name=name,
                time_unix_nano=time,
                attributes=_attributes(values),
                dropped_attributes_count=dropped,
            )
            for name, time, values, dropped in fields.events
        ],
        links=[
            Span.Link(
                trace_id=trace_id,
                span_id=span_id,
                flags=_flags(is_remote=is_remote),
                trace_state=trace_state,
                attributes=_attributes(values),
                dropped_attributes_count=dropped,
            )
            for trace_id, span_id, is_remote, trace_state, values, dropped in fields.links
        ],
        status=Status(
            code=fields.status_code,  # type: ignore[arg-type]  # the enum is an int
            message=fields.status_message,
        ),
        dropped_attributes_count=dropped_attributes,
        dropped_events_count=dropped_events,
        dropped_links_count=dropped_links,
    )


def _flags(*, is_remote: bool) -> int:
    flags = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
    return flags | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK if is_remote else flags


def _sequence(number: int) -> KeyValue:
    return KeyValue(key=DELIVERY_SEQUENCE, value=AnyValue(int_value=number))


def _scope(scope: Scope) -> InstrumentationScope:
    name, version, _, attributes = scope
    return InstrumentationScope(name=name, version=version, attributes=_attributes(attributes))


def _attributes(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [
        _repeated(key, value)
        if type(value) is str and len(value) <= _LONGEST_REPEATED
        else KeyValue(key=str(key), value=_value(value))
        for key, value in attributes.items()
    ]


@functools.lru_cache(4096)
def _repeated(key: str, value: str) -> KeyValue:
    """Short texts come again and again: 0.2 µs instead of 2."""
    return KeyValue(key=str(key), value=AnyValue(string_value=value))


def _value(value: Any) -> AnyValue:
    make = _MAKERS.get(type(value))
    return AnyValue() if make is None else make(value)


_MAKERS: Final[dict[type, Callable[[Any], AnyValue]]] = {
    str: lambda value: AnyValue(string_value=value),
    bool: lambda value: AnyValue(bool_value=value),
    int: lambda value: AnyValue(int_value=value),
    float: lambda value: AnyValue(double_value=value),
    bytes: lambda value: AnyValue(bytes_value=value),
    dict: lambda value: AnyValue(kvlist_value=KeyValueList(values=_attributes(value))),
    list: lambda value: AnyValue(array_value=ArrayValue(values=[_value(each) for each in value])),
}
"""OTLP's value for each exact type that msgpack unpacks to."""


def _cut_values(attributes: Mapping[str, Any], limit: int) -> dict[str, Any]:
    return {
        key: value
        if isinstance(value, bool | int | float)
        else _cut_text(value if isinstance(value, str) else repr(value), limit)
        for key, value in attributes.items()
    }


def _cut_text(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit]
