"""Stored records as the OTLP requests that they came from: the collector's decoding, backwards.

Reads the private tables, where every field is. Attributes have no order in OTLP nor in jsonb, so
`canonical` sorts them in whatever is compared.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

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
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from sqlalchemy import Engine, RowMapping, Table, select

from relayscope.conventions.attributes import ENTITY_REFS
from relayscope.storage import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def traces(engine: Engine) -> ExportTraceServiceRequest:
    """All spans, of one resource and one scope."""
    request = ExportTraceServiceRequest()
    for row, group in _rows(engine, tables.span, request.resource_spans, "scope_spans"):
        span = group.spans.add(
            trace_id=row["trace_id"].bytes,
            span_id=row["span_id"],
            parent_span_id=row["parent_span_id"],
            trace_state=row["trace_state"],
            flags=row["flags"],
            name=row["name"],
            kind=row["kind"],
            start_time_unix_nano=_nano(row["start_time"], row["start_nano"]),
            end_time_unix_nano=_nano(row["end_time"], row["end_nano"]),
            attributes=_pairs(row["attributes"]),
            dropped_attributes_count=row["dropped_attributes_count"],
            dropped_events_count=row["dropped_events_count"],
            dropped_links_count=row["dropped_links_count"],
        )
        if row["status_code"] or row["status_message"]:
            span.status.code = row["status_code"]
            span.status.message = row["status_message"]
        for event in row["events"] or ():
            span.events.add(
                time_unix_nano=event.pop("time"),
                attributes=_pairs(event.pop("attributes")),
                **event,
            )
        for link in row["links"] or ():
            span.links.add(
                trace_id=bytes.fromhex(link.pop("trace_id")),
                span_id=bytes.fromhex(link.pop("span_id")),
                attributes=_pairs(link.pop("attributes")),
                **link,
            )
    return request


def logs(engine: Engine) -> ExportLogsServiceRequest:
    """All log records, of one resource and one scope."""
    request = ExportLogsServiceRequest()
    for row, group in _rows(engine, tables.log, request.resource_logs, "scope_logs"):
        record = group.log_records.add(
            time_unix_nano=_nano(row["time"], row["time_nano"]),
            observed_time_unix_nano=_nano(row["observed_time"], row["observed_nano"]),
            severity_number=row["severity_number"],
            severity_text=row["severity_text"],
            attributes=_pairs(row["attributes"]),
            dropped_attributes_count=row["dropped_attributes_count"],
            flags=row["flags"],
            trace_id=row["trace_id"].bytes if row["trace_id"] else b"",
            span_id=row["span_id"],
            event_name=row["event_name"],
        )
        if row["body"] is not None:
            record.body.string_value = row["body"]
        elif row["body_json"] is not None:
            record.body.CopyFrom(_any(row["body_json"]))
    return request


def metrics(engine: Engine) -> ExportMetricsServiceRequest:
    """All data points, of one resource and one scope; points of a metric are together again."""
    request = ExportMetricsServiceRequest()
    for row, group in _rows(engine, tables.metric_point, request.resource_metrics, "scope_metrics"):
        metric = next((known for known in group.metrics if known.name == row["name"]), None)
        if metric is None:
            metric = group.metrics.add(
                name=row["name"],
                description=row["description"],
                unit=row["unit"],
                metadata=_pairs(row["metadata"] or {}),
            )
        kinds = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
        data = getattr(metric, kinds[row["kind"] - 1])
        if row["temporality"] is not None:
            data.aggregation_temporality = row["temporality"]
        if row["monotonic"] is not None:
            data.is_monotonic = row["monotonic"]
        _fill_point(data.data_points.add(), row)
    return request


def _fill_point(point: Any, row: RowMapping) -> None:
    detail = row["detail"] or {}
    point.attributes.extend(_pairs(row["attributes"]))
    point.start_time_unix_nano = _nano(row["start_time"], row["start_nano"])
    point.time_unix_nano = _nano(row["time"], row["time_nano"])
    point.flags = row["flags"]
    for field, column in {"as_double": "value", "as_int": "value_int"}.items():
        if row[column] is not None:
            setattr(point, field, row[column])
    for column in ("count", "sum", "min", "max"):
        if row[column] is not None:
            setattr(point, column, int(row[column]) if column == "count" else row[column])
    _fill_buckets(point, detail)
    for quantile in detail.get("quantiles", ()):
        point.quantile_values.add(**quantile)
    for stored in detail.get("exemplars", ()):
        exemplar = point.exemplars.add(
            time_unix_nano=stored["time"],
            trace_id=bytes.fromhex(stored.get("trace_id", "")),
            span_id=bytes.fromhex(stored.get("span_id", "")),
            filtered_attributes=_pairs(stored.get("attributes", {})),
        )
        number = "as_int" if isinstance(stored["value"], int) else "as_double"
        setattr(exemplar, number, stored["value"])


def _fill_buckets(point: Any, detail: dict[str, Any]) -> None:
    for field in ("scale", "zero_count", "zero_threshold"):
        if field in detail:
            setattr(point, field, detail[field])
    for side in ("positive", "negative"):
        if side in detail:
            buckets = getattr(point, side)
            buckets.offset = detail[side]["offset"]
            buckets.bucket_counts.extend(detail[side]["counts"])
    if "bounds" in detail:
        point.explicit_bounds.extend(detail["bounds"])
        point.bucket_counts.extend(detail["counts"])


def canonical(message: Message) -> Message:
    """A copy with attributes in the order of their keys, at any depth."""
    copy = type(message)()
    copy.CopyFrom(message)
    _sort(copy)
    return copy


def _sort(message: Any) -> None:
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for item in value if field.is_repeated else [value]:
            _sort(item)
        if field.message_type is KeyValue.DESCRIPTOR:
            value.sort(key=lambda pair: pair.key)


def _rows(
    engine: Engine, table: Table, resources: Any, scopes: str
) -> Iterator[tuple[RowMapping, Any]]:
    """Each row in the order of time, and the group of its scope."""
    with engine.connect() as connection:
        time = table.columns[0], table.columns[1]
        rows = connection.execute(select(table).order_by(*time)).mappings().all()
        (resource_id,) = {row["resource_id"] for row in rows}
        (scope_id,) = {row["scope_id"] for row in rows}
        of_rows = select(tables.resource).where(tables.resource.c.id == resource_id)
        resource = connection.execute(of_rows).mappings().one()
        of_rows = select(tables.scope).where(tables.scope.c.id == scope_id)
        scope = connection.execute(of_rows).mappings().one()
    outer = resources.add(schema_url=resource["schema_url"])
    outer.resource.CopyFrom(_resource(resource))
    group = getattr(outer, scopes).add(schema_url=scope["schema_url"])
    group.scope.CopyFrom(
        InstrumentationScope(
            name=scope["name"],
            version=scope["version"],
            attributes=_pairs(scope["attributes"]),
            dropped_attributes_count=scope["dropped_attributes_count"],
        )
    )
    for row in rows:
        yield row, group


def _resource(row: RowMapping) -> Resource:
    attributes = dict(row["attributes"])
    references = attributes.pop(ENTITY_REFS, [])
    return Resource(
        attributes=_pairs(attributes),
        dropped_attributes_count=row["dropped_attributes_count"],
        entity_refs=[EntityRef(**reference) for reference in references],
    )


def _nano(time: datetime | None, nano: int | None) -> int:
    if time is None or nano is None:
        return 0
    since = time - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000 + nano


def _pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in attributes.items()]


def _any(value: Any) -> AnyValue:  # noqa: PLR0911 - one per kind of value
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=map(_any, value)))
        case {"$bytes": str(encoded)}:
            return AnyValue(bytes_value=base64.b64decode(encoded))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=_pairs(value)))
    raise TypeError(type(value))
