"""Stored records as OTLP's JSON again, a request per line: the collector's decoding, backwards."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from relayscope.conventions.attributes import ENTITY_REFS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS: Final = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")

Row = dict[str, Any]
"""A row of a table, by column."""


def line(
    table: str,
    rows: Iterable[Row],
    resources: Mapping[object, Row],
    scopes: Mapping[object, Row],
) -> bytes:
    """An OTLP request with these rows as JSON, without an end of line.

    Args:
        table: The name of the table that they are of.
        rows: From `relayscope.storage.read_records`.
        resources: All that they refer to, by id.
        scopes: All that they refer to, by id.
    """
    form = _FORMS[table]
    outer: dict[object, Row] = {}
    inner: dict[tuple[object, object], list[Row]] = {}
    for row in rows:
        resource_id, scope_id = row["resource_id"], row["scope_id"]
        if resource_id not in outer:
            outer[resource_id] = _resource(resources[resource_id]) | {form.scopes: []}
        if (resource_id, scope_id) not in inner:
            items: list[Row] = []
            inner[resource_id, scope_id] = items
            outer[resource_id][form.scopes].append(_scope(scopes[scope_id]) | {form.items: items})
        inner[resource_id, scope_id].append(_without_nothing(form.record(row)))
    return orjson.dumps({form.resources: list(outer.values())})


def _resource(row: Row) -> Row:
    attributes = dict(row["attributes"])
    references = [
        {
            "schemaUrl": reference["schema_url"],
            "type": reference["type"],
            "idKeys": reference["id_keys"],
            "descriptionKeys": reference["description_keys"],
        }
        for reference in attributes.pop(ENTITY_REFS, ())
    ]
    resource = {
        "attributes": _pairs(attributes),
        "droppedAttributesCount": row["dropped_attributes_count"],
        "entityRefs": references,
    }
    return {"resource": _without_nothing(resource), "schemaUrl": row["schema_url"]}


def _scope(row: Row) -> Row:
    scope = {
        "name": row["name"],
        "version": row["version"],
        "attributes": _pairs(row["attributes"]),
        "droppedAttributesCount": row["dropped_attributes_count"],
    }
    return {"scope": _without_nothing(scope), "schemaUrl": row["schema_url"]}


def _log(row: Row) -> Row:
    body = row["body"] if row["body"] is not None else row["body_json"]
    return {
        "timeUnixNano": _nano(row["time"], row["time_nano"]),
        "observedTimeUnixNano": _nano(row["observed_time"], row["observed_nano"]),
        "traceId": row["trace_id"] and row["trace_id"].hex,
        "spanId": _hex(row["span_id"]),
        "flags": row["flags"],
        "severityNumber": row["severity_number"],
        "severityText": row["severity_text"],
        "eventName": row["event_name"],
        "body": None if body is None else _value(body),
        "attributes": _pairs(row["attributes"]),
        "droppedAttributesCount": row["dropped_attributes_count"],
    }


def _span(row: Row) -> Row:
    status = {"code": row["status_code"], "message": row["status_message"]}
    return {
        "traceId": row["trace_id"].hex,
        "spanId": _hex(row["span_id"]),
        "parentSpanId": _hex(row["parent_span_id"]),
        "traceState": row["trace_state"],
        "flags": row["flags"],
        "name": row["name"],
        "kind": row["kind"],
        "startTimeUnixNano": _nano(row["start_time"], row["start_nano"]),
        "endTimeUnixNano": _nano(row["end_time"], row["end_nano"]),
        "attributes": _pairs(row["attributes"]),
        "droppedAttributesCount": row["dropped_attributes_count"],
        "events": [
            _without_nothing(
                {
                    "timeUnixNano": str(event["time"]),
                    "name": event["name"],
                    "attributes": _pairs(event["attributes"]),
                    "droppedAttributesCount": event.get("dropped_attributes_count"),
                }
            )
            for event in row["events"] or ()
        ],
        "droppedEventsCount": row["dropped_events_count"],
        "links": [
            _without_nothing(
                {
                    "traceId": link["trace_id"],
                    "spanId": link["span_id"],
                    "traceState": link["trace_state"],
                    "flags": link["flags"],
                    "attributes": _pairs(link["attributes"]),
                    "droppedAttributesCount": link.get("dropped_attributes_count"),
                }
            )
            for link in row["links"] or ()
        ],
        "droppedLinksCount": row["dropped_links_count"],
        "status": _without_nothing(status),
    }


def _metric(row: Row) -> Row:
    """A metric with one point: points of a metric are not stored together."""
    data: Row = {"dataPoints": [_point(row)]}
    if row["temporality"] is not None:
        data["aggregationTemporality"] = row["temporality"]
    if row["monotonic"] is not None:
        data["isMonotonic"] = row["monotonic"]
    return {
        "name": row["name"],
        "description": row["description"],
        "unit": row["unit"],
        "metadata": _pairs(row["metadata"] or {}),
        _KINDS[row["kind"] - 1]: data,
    }


def _point(row: Row) -> Row:
    detail = row["detail"] or {}
    point: Row = {
        "attributes": _pairs(row["attributes"]),
        "startTimeUnixNano": _nano(row["start_time"], row["start_nano"]),
        "timeUnixNano": _nano(row["time"], row["time_nano"]),
        "flags": row["flags"],
        "explicitBounds": detail.get("bounds"),
        "bucketCounts": [str(count) for count in detail.get("counts", ())],
        "quantileValues": detail.get("quantiles"),
        "exemplars": [_exemplar(stored) for stored in detail.get("exemplars", ())],
    }
    # These say something even when they are zero.
    always: Row = {
        "asDouble": _number(row["value"]),
        "asInt": None if row["value_int"] is None else str(row["value_int"]),
        "count": None if row["count"] is None else str(int(row["count"])),
        "sum": _number(row["sum"]),
        "min": _number(row["min"]),
        "max": _number(row["max"]),
        "scale": detail.get("scale"),
        "zeroCount": detail.get("zero_count"),
        "zeroThreshold": detail.get("zero_threshold"),
    }
    for side in ("positive", "negative"):
        if side in detail:
            counts = [str(count) for count in detail[side]["counts"]]
            always[side] = {"offset": detail[side]["offset"], "bucketCounts": counts}
    return _without_nothing(point) | {
        name: value for name, value in always.items() if value is not None
    }


def _exemplar(stored: Row) -> Row:
    value = stored.get("value")
    exemplar = {
        "timeUnixNano": str(stored["time"]),
        "traceId": stored.get("trace_id"),
        "spanId": stored.get("span_id"),
        "filteredAttributes": _pairs(stored.get("attributes", {})),
    }
    said = (
        {}
        if value is None
        else {"asInt": str(value)}
        if type(value) is int
        else {"asDouble": value}
    )
    return _without_nothing(exemplar) | said


def _pairs(attributes: Row) -> list[Row]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> Row:  # noqa: PLR0911 - one per kind of value
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": _number(value)}
        case str():
            return {"stringValue": value}
        case list():
            return {"arrayValue": {"values": [_value(item) for item in value]}}
        case {"$bytes": str(encoded)} if len(value) == 1:
            return {"bytesValue": encoded}
        case dict():
            return {"kvlistValue": {"values": _pairs(value)}}
    raise TypeError(type(value))


def _nano(time: datetime | None, nano: int | None) -> str | None:
    if time is None:
        return None
    since = time - _EPOCH
    seconds = since.days * 86_400 + since.seconds
    return str(seconds * 10**9 + since.microseconds * 1000 + (nano or 0))


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _number(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _without_nothing(record: Row) -> Row:
    """Return it without members that mean the same when they are left out."""
    return {
        name: value
        for name, value in record.items()
        if value is not None and value != 0 and value not in ("", [])
    }


class _Form(NamedTuple):
    """The names of a signal in OTLP, and how to make one of its records."""

    resources: str
    scopes: str
    items: str
    record: Callable[[Row], Row]


_FORMS: Final = {
    "span": _Form("resourceSpans", "scopeSpans", "spans", _span),
    "log": _Form("resourceLogs", "scopeLogs", "logRecords", _log),
    "metric_point": _Form("resourceMetrics", "scopeMetrics", "metrics", _metric),
}
