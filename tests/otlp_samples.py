"""OTLP requests with every field set, and OTLP's JSON encoding of any request.

The encoder is the tests' own: what the collector reads is checked against protobuf's idea of the
same message, not against the collector's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    EntityRef,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.logs.v1.logs_pb2 import (
    SEVERITY_NUMBER_TRACE,
    LogRecord,
    ResourceLogs,
    ScopeLogs,
)
from opentelemetry.proto.metrics.v1 import metrics_pb2 as m
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from relayscope.conventions.events import EVENT_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

TRACE_ID = bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4736")
SPAN_ID = bytes.fromhex("00f067aa0ba902b7")
PARENT_ID = bytes.fromhex("0102030405060708")
START = 1_764_000_000_123_456_789
"""A time whose nanoseconds matter."""


def text(value: str) -> AnyValue:
    """A text value."""
    return AnyValue(string_value=value)


def every_kind_of_value() -> list[KeyValue]:
    """Attributes with each kind of AnyValue, nested, empty and at the edges."""
    values = {
        "text": text("naïve ☃ \U0001f600"),
        "empty": text(""),
        "true": AnyValue(bool_value=True),
        "false": AnyValue(bool_value=False),
        "zero": AnyValue(int_value=0),
        "least": AnyValue(int_value=-(2**63)),
        "most": AnyValue(int_value=2**63 - 1),
        "half": AnyValue(double_value=0.5),
        "whole": AnyValue(double_value=1.0),
        "bytes": AnyValue(bytes_value=bytes(range(256))),
        "nothing": AnyValue(),
        "list": AnyValue(
            array_value=ArrayValue(values=[text("a"), AnyValue(int_value=1), AnyValue()])
        ),
        "map": AnyValue(
            kvlist_value=KeyValueList(
                values=[
                    KeyValue(key="inner", value=text("b")),
                    KeyValue(
                        key="deeper",
                        value=AnyValue(
                            kvlist_value=KeyValueList(
                                values=[KeyValue(key="x", value=AnyValue(int_value=2))]
                            )
                        ),
                    ),
                ]
            )
        ),
        "__proto__.x": text("a key is data"),
        'it\'s "quoted" %s :x': text("so is this one"),
    }
    return [KeyValue(key=key, value=value) for key, value in values.items()]


def _resource(component: str) -> Resource:
    return Resource(
        attributes=[KeyValue(key="service.name", value=text(component)), *every_kind_of_value()],
        dropped_attributes_count=1,
        entity_refs=[
            EntityRef(
                schema_url="https://example.com/entity",
                type="service",
                id_keys=["service.name"],
                description_keys=["text"],
            )
        ],
    )


def _scope() -> InstrumentationScope:
    return InstrumentationScope(
        name="golden", version="1.2.3", attributes=every_kind_of_value(), dropped_attributes_count=2
    )


def traces() -> ExportTraceServiceRequest:
    """A span with every field set, and one with as few as possible."""
    full = Span(
        trace_id=TRACE_ID,
        span_id=SPAN_ID,
        trace_state="vendor=1,other=2",
        parent_span_id=PARENT_ID,
        flags=0x301,
        name="tools/call get_time",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=START,
        end_time_unix_nano=START + 1_500_000_001,
        attributes=every_kind_of_value(),
        dropped_attributes_count=3,
        events=[
            Span.Event(
                time_unix_nano=START + 1,
                name="exception",
                attributes=every_kind_of_value(),
                dropped_attributes_count=4,
            ),
            Span.Event(time_unix_nano=START + 2, name="second"),
        ],
        dropped_events_count=5,
        links=[
            Span.Link(
                trace_id=TRACE_ID[::-1],
                span_id=SPAN_ID[::-1],
                trace_state="linked=1",
                attributes=every_kind_of_value(),
                dropped_attributes_count=6,
                flags=1,
            )
        ],
        dropped_links_count=7,
        status=Status(message="it broke", code=Status.STATUS_CODE_ERROR),
    )
    bare = Span(
        trace_id=TRACE_ID,
        span_id=PARENT_ID,
        start_time_unix_nano=START,
        end_time_unix_nano=START,
    )
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=_resource("golden-traces"),
                scope_spans=[
                    ScopeSpans(
                        scope=_scope(), spans=[full, bare], schema_url="https://example.com/scope"
                    )
                ],
                schema_url="https://example.com/resource",
            )
        ]
    )


def logs() -> ExportLogsServiceRequest:
    """A record with every field set, one per kind of body, and one with as little as possible."""
    full = LogRecord(
        time_unix_nano=START,
        observed_time_unix_nano=START + 7,
        severity_number=SEVERITY_NUMBER_TRACE,
        severity_text="TRACE",
        body=text('{"jsonrpc": "2.0",  "id": 1, "method": "ping"}'),
        attributes=every_kind_of_value(),
        dropped_attributes_count=8,
        flags=1,
        trace_id=TRACE_ID,
        span_id=SPAN_ID,
        event_name=EVENT_MESSAGE,
    )
    bodies = [attribute.value for attribute in every_kind_of_value()]
    return ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                resource=_resource("golden-logs"),
                scope_logs=[
                    ScopeLogs(
                        scope=_scope(),
                        log_records=[
                            full,
                            *(
                                LogRecord(time_unix_nano=START + 10 + i, body=body)
                                for i, body in enumerate(bodies)
                            ),
                            LogRecord(time_unix_nano=START + 100),
                        ],
                        schema_url="https://example.com/scope",
                    )
                ],
                schema_url="https://example.com/resource",
            )
        ]
    )


def metrics() -> ExportMetricsServiceRequest:
    """A metric of each kind with every field set, with exemplars."""
    common: dict[str, Any] = {
        "attributes": every_kind_of_value(),
        "start_time_unix_nano": START,
        "time_unix_nano": START + 60_000_000_001,
        "flags": 1,
    }
    exemplars = [
        m.Exemplar(
            filtered_attributes=every_kind_of_value(),
            time_unix_nano=START + 5,
            as_double=0.25,
            span_id=SPAN_ID,
            trace_id=TRACE_ID,
        ),
        m.Exemplar(time_unix_nano=START + 6, as_int=-3),
    ]
    buckets = m.ExponentialHistogramDataPoint.Buckets
    data: dict[str, Any] = {
        "gauge": m.Gauge(
            data_points=[
                m.NumberDataPoint(**common, as_double=36.6, exemplars=exemplars),
                m.NumberDataPoint(**common),
            ]
        ),
        "sum": m.Sum(
            data_points=[m.NumberDataPoint(**common, as_int=-(2**63), exemplars=exemplars)],
            aggregation_temporality=m.AGGREGATION_TEMPORALITY_CUMULATIVE,
            is_monotonic=True,
        ),
        "histogram": m.Histogram(
            data_points=[
                m.HistogramDataPoint(
                    **common,
                    count=2**64 - 1,
                    sum=12.5,
                    bucket_counts=[1, 2**64 - 4, 2],
                    explicit_bounds=[0.5, 10.0],
                    exemplars=exemplars,
                    min=0.0,
                    max=99.5,
                ),
                m.HistogramDataPoint(**common, count=0),
            ],
            aggregation_temporality=m.AGGREGATION_TEMPORALITY_DELTA,
        ),
        "exponential_histogram": m.ExponentialHistogram(
            data_points=[
                m.ExponentialHistogramDataPoint(
                    **common,
                    count=6,
                    sum=3.5,
                    scale=-3,
                    zero_count=1,
                    positive=buckets(offset=-2, bucket_counts=[1, 2]),
                    negative=buckets(offset=3, bucket_counts=[2]),
                    exemplars=exemplars,
                    min=-1.5,
                    max=2.5,
                    zero_threshold=0.125,
                )
            ],
            aggregation_temporality=m.AGGREGATION_TEMPORALITY_DELTA,
        ),
        "summary": m.Summary(
            data_points=[
                m.SummaryDataPoint(
                    **common,
                    count=4,
                    sum=8.5,
                    quantile_values=[
                        m.SummaryDataPoint.ValueAtQuantile(quantile=0.5, value=2.0),
                        m.SummaryDataPoint.ValueAtQuantile(quantile=0.99, value=3.5),
                    ],
                )
            ]
        ),
    }
    return ExportMetricsServiceRequest(
        resource_metrics=[
            m.ResourceMetrics(
                resource=_resource("golden-metrics"),
                scope_metrics=[
                    m.ScopeMetrics(
                        scope=_scope(),
                        metrics=[
                            m.Metric(
                                name=f"golden.{kind}",
                                description=f"a {kind}",
                                unit="s",
                                metadata=every_kind_of_value(),
                                **{kind: value},
                            )
                            for kind, value in data.items()
                        ],
                        schema_url="https://example.com/scope",
                    )
                ],
                schema_url="https://example.com/resource",
            )
        ]
    )


def as_json(message: Message) -> dict[str, Any]:
    """OTLP's JSON encoding of a message: protobuf's, but with ids in hex and enums as numbers."""
    encoded: dict[str, Any] = MessageToDict(message, use_integers_for_enums=True)
    _ids_to_hex(message, encoded)
    return encoded


def delimited(tag: int, content: bytes) -> bytes:
    """A protobuf field that holds a message, to write what no library would."""
    length = len(content)
    varint = b""
    while length > 0x7F:
        varint += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([tag]) + varint + bytes([length]) + content


def _ids_to_hex(message: Message, encoded: dict[str, Any]) -> None:
    for field, value in message.ListFields():
        if field.name in {"trace_id", "span_id", "parent_span_id"}:
            encoded[field.json_name] = value.hex()
        elif field.message_type is not None and field.is_repeated:
            for item, encoded_item in zip(value, encoded[field.json_name], strict=True):
                _ids_to_hex(item, encoded_item)
        elif field.message_type is not None:
            _ids_to_hex(value, encoded[field.json_name])


def fields_never_set(message: Message) -> set[str]:
    """Fields that no message inside this one has set: what a golden request forgets."""
    known: set[str] = set()
    used: set[str] = set()
    for part in parts(message):
        name = part.DESCRIPTOR.name
        known |= {f"{name}.{field.name}" for field in part.DESCRIPTOR.fields}
        used |= {f"{name}.{field.name}" for field, _ in part.ListFields()}
    return known - used


def parts(message: Message) -> Iterator[Message]:
    """A message and all those in it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for item in value if field.is_repeated else [value]:
                yield from parts(item)
