"""Spans to rows; their events and links stay with them as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from relayscope.collector.decode.rows import NORMALIZED
from relayscope.collector.decode.values import (
    attributes,
    count,
    jsonb,
    span_id_or_none,
    trace_id_or_none,
)
from relayscope.storage.rows import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from relayscope.collector.decode.rows import Decoded
    from relayscope.sanitizer import Sanitizer, Value

_KINDS: Final = range(6)
_STATUS_CODES: Final = range(3)


def add_traces(request: ExportTraceServiceRequest, decoded: Decoded) -> None:
    """Append the request's spans to the batch."""
    for resource_spans in request.resource_spans:
        resource_id = decoded.resource(resource_spans.resource, resource_spans.schema_url)
        for scope_spans in resource_spans.scope_spans:
            scope_id = decoded.scope(scope_spans.scope, scope_spans.schema_url)
            _add_spans(scope_spans.spans, resource_id, scope_id, decoded)


def _add_spans(
    spans: Iterable[Span], resource_id: bytes, scope_id: bytes, decoded: Decoded
) -> None:
    sanitizer = decoded.sanitizer
    add = decoded.batch.spans.append
    for span in spans:
        odd: list[Value] = []
        trace_id = trace_id_or_none(span.trace_id, odd)
        span_id = span_id_or_none(span.span_id, odd)
        if trace_id is None or span_id is None:
            decoded.reject("span without a valid trace id and span id")
            continue
        parent_span_id = span_id_or_none(span.parent_span_id, odd)
        start = span.start_time_unix_nano
        end = span.end_time_unix_nano
        if not start:
            odd.append("no_start_time")
        if end < start:
            odd.append("end_before_start")
        kind: int = span.kind
        if kind not in _KINDS:
            odd.append("kind")
            kind = 0
        status = span.status
        code: int = status.code
        if code not in _STATUS_CODES:
            odd.append("status_code")
            code = 0
        clean = sanitizer.attributes(attributes(span.attributes))
        if odd:
            clean[NORMALIZED] = odd
        add(
            (
                start // 1000 - EPOCH,
                start % 1000,
                end // 1000 - EPOCH,
                end % 1000,
                trace_id,
                span_id,
                parent_span_id,
                sanitizer.text(span.trace_state) or None,
                span.flags,
                sanitizer.text(span.name),
                kind,
                code,
                sanitizer.text(status.message) or None,
                jsonb(clean),
                jsonb([_event(event, sanitizer) for event in span.events]) if span.events else None,
                jsonb([_link(link, sanitizer) for link in span.links]) if span.links else None,
                count(span.dropped_attributes_count),
                count(span.dropped_events_count),
                count(span.dropped_links_count),
                resource_id,
                scope_id,
            )
        )


def _event(event: Span.Event, sanitizer: Sanitizer) -> dict[str, Any]:
    row = {
        "time": event.time_unix_nano,
        "name": sanitizer.text(event.name),
        "attributes": sanitizer.attributes(attributes(event.attributes)),
    }
    if event.dropped_attributes_count:
        row["dropped_attributes_count"] = event.dropped_attributes_count
    return row


def _link(link: Span.Link, sanitizer: Sanitizer) -> dict[str, Any]:
    # Ids of a wrong length stay visible: as hex they fit where they are kept.
    row = {
        "trace_id": link.trace_id.hex(),
        "span_id": link.span_id.hex(),
        "trace_state": sanitizer.text(link.trace_state),
        "flags": link.flags,
        "attributes": sanitizer.attributes(attributes(link.attributes)),
    }
    if link.dropped_attributes_count:
        row["dropped_attributes_count"] = link.dropped_attributes_count
    return row
