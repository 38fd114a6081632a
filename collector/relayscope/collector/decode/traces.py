"""Spans to rows; their events and links stay with them as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from relayscope.collector.decode.rows import mark
from relayscope.collector.decode.values import (
    attributes,
    jsonb,
    span_id_or_none,
    trace_id_or_none,
)
from relayscope.storage.rows import EPOCH

if TYPE_CHECKING:
    from collections.abc import Collection

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from relayscope.collector.decode.rows import Decoded

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
    spans: Collection[Span], resource_id: bytes, scope_id: bytes, decoded: Decoded
) -> None:
    decoded.expect(len(spans))
    sanitizer, name = decoded.sanitizer, decoded.name
    add = decoded.batch.spans.append
    for span in spans:
        odd: list[str] = []
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
            mark(clean, odd)
        add(
            (
                start // 1000 - EPOCH,
                start % 1000,
                end // 1000 - EPOCH,
                end % 1000,
                trace_id,
                span_id,
                parent_span_id,
                name(span.trace_state) or None,
                span.flags,
                name(span.name),
                kind,
                code,
                name(status.message) or None,
                jsonb(clean),
                _events(span.events, decoded) if span.events else None,
                _links(span.links, decoded) if span.links else None,
                span.dropped_attributes_count,
                span.dropped_events_count,
                span.dropped_links_count,
                resource_id,
                scope_id,
            )
        )


def _events(events: Collection[Span.Event], decoded: Decoded) -> bytes:
    decoded.expect(len(events))
    return jsonb([_event(event, decoded) for event in events])


def _links(links: Collection[Span.Link], decoded: Decoded) -> bytes:
    decoded.expect(len(links))
    return jsonb([_link(link, decoded) for link in links])


def _event(event: Span.Event, decoded: Decoded) -> dict[str, Any]:
    row = {
        "time": event.time_unix_nano,
        "name": decoded.name(event.name),
        "attributes": decoded.sanitizer.attributes(attributes(event.attributes)),
    }
    if event.dropped_attributes_count:
        row["dropped_attributes_count"] = event.dropped_attributes_count
    return row


def _link(link: Span.Link, decoded: Decoded) -> dict[str, Any]:
    # Ids of a wrong length stay visible: as hex they fit where they are kept.
    row = {
        "trace_id": link.trace_id.hex(),
        "span_id": link.span_id.hex(),
        "trace_state": decoded.name(link.trace_state),
        "flags": link.flags,
        "attributes": decoded.sanitizer.attributes(attributes(link.attributes)),
    }
    if link.dropped_attributes_count:
        row["dropped_attributes_count"] = link.dropped_attributes_count
    return row
