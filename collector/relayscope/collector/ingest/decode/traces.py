"""Spans to rows; their events and links stay with them as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from relayscope.collector.ingest.decode.rows import few, mark
from relayscope.collector.ingest.decode.values import (
    attributes,
    jsonb,
    span_id_or_none,
    trace_id_or_none,
)
from relayscope.storage.rows import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from relayscope.collector.ingest.decode.rows import Decoded
    from relayscope.sanitizer import Value

_KINDS: Final = range(6)
_STATUS_CODES: Final = range(3)


def add_traces(request: ExportTraceServiceRequest, decoded: Decoded) -> Iterator[None]:
    """Append the request's spans to the batch, a few in each step."""
    for resource_spans in request.resource_spans:
        resource_id = decoded.resource(resource_spans.resource, resource_spans.schema_url)
        yield
        for scope_spans in resource_spans.scope_spans:
            scope_id = decoded.scope(scope_spans.scope, scope_spans.schema_url)
            yield
            yield from _add_spans(scope_spans.spans, (resource_id, scope_id), decoded)


def _add_spans(spans: Sequence[Span], ids: tuple[bytes, bytes], decoded: Decoded) -> Iterator[None]:
    decoded.expect(len(spans))
    for some in few(spans):
        parts = [
            # Asking whether there are any is three times as quick as listing none.
            (span, list(span.events) if span.events else (), list(span.links) if span.links else ())
            for span in some
        ]
        sent: list[tuple[dict[str, Value], None]] = []
        for span, events, links in parts:
            decoded.expect(len(events) + len(links))
            sent.append((attributes(span.attributes), None))
            sent += [(attributes(event.attributes), None) for event in events]
            sent += [(attributes(link.attributes), None) for link in links]
        cleaned = (clean for clean, _ in decoded.sanitizer.records(sent))
        for span, events, links in parts:
            clean = next(cleaned)
            event_rows = [_event(event, next(cleaned), decoded) for event in events]
            link_rows = [_link(link, next(cleaned), decoded) for link in links]
            _add_span(span, clean, (event_rows, link_rows), ids, decoded)
        yield


def _add_span(
    span: Span,
    clean: dict[str, Value],
    parts: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    ids: tuple[bytes, bytes],
    decoded: Decoded,
) -> None:
    name = decoded.name
    events, links = parts
    odd: list[str] = []
    trace_id = trace_id_or_none(span.trace_id, odd)
    span_id = span_id_or_none(span.span_id, odd)
    if trace_id is None or span_id is None:
        decoded.reject("span without a valid trace id and span id")
        return
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
    if odd:
        mark(clean, odd)
    decoded.batch.spans.append(
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
            jsonb(events) if events else None,
            jsonb(links) if links else None,
            span.dropped_attributes_count,
            span.dropped_events_count,
            span.dropped_links_count,
            *ids,
        )
    )


def _event(event: Span.Event, clean: dict[str, Value], decoded: Decoded) -> dict[str, Any]:
    row = {"time": event.time_unix_nano, "name": decoded.name(event.name), "attributes": clean}
    if event.dropped_attributes_count:
        row["dropped_attributes_count"] = event.dropped_attributes_count
    return row


def _link(link: Span.Link, clean: dict[str, Value], decoded: Decoded) -> dict[str, Any]:
    # Ids of a wrong length stay visible: as hex they fit where they are kept.
    row = {
        "trace_id": link.trace_id.hex(),
        "span_id": link.span_id.hex(),
        "trace_state": decoded.name(link.trace_state),
        "flags": link.flags,
        "attributes": clean,
    }
    if link.dropped_attributes_count:
        row["dropped_attributes_count"] = link.dropped_attributes_count
    return row
