"""Log records to rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from relayscope.collector.ingest.decode.rows import few, mark
from relayscope.collector.ingest.decode.values import (
    attributes,
    jsonb,
    plain,
    span_id_or_none,
    trace_id_or_none,
)
from relayscope.storage.rows import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

    from relayscope.collector.ingest.decode.rows import Decoded
    from relayscope.sanitizer import Value

_SEVERITIES: Final = range(25)


def add_logs(request: ExportLogsServiceRequest, decoded: Decoded) -> Iterator[None]:
    """Append the request's log records to the batch, a few in each step."""
    for resource_logs in request.resource_logs:
        resource_id = decoded.resource(resource_logs.resource, resource_logs.schema_url)
        yield
        for scope_logs in resource_logs.scope_logs:
            scope_id = decoded.scope(scope_logs.scope, scope_logs.schema_url)
            yield
            yield from _add_records(scope_logs.log_records, (resource_id, scope_id), decoded)


def _add_records(
    records: Sequence[LogRecord], ids: tuple[bytes, bytes], decoded: Decoded
) -> Iterator[None]:
    decoded.expect(len(records))
    for some in few(records):
        sent = [(attributes(record.attributes), _body(record)) for record in some]
        for record, clean in zip(some, decoded.sanitizer.records(sent), strict=True):
            _add_record(record, *clean, ids, decoded)
        yield


def _body(record: LogRecord) -> Value:
    body = record.body
    return body.string_value or plain(body)


def _add_record(
    record: LogRecord,
    clean: dict[str, Value],
    body: Value,
    ids: tuple[bytes, bytes],
    decoded: Decoded,
) -> None:
    name = decoded.name
    odd: list[str] = []
    observed = record.observed_time_unix_nano
    time = record.time_unix_nano or observed or decoded.arrived
    severity: int = record.severity_number
    if severity not in _SEVERITIES:
        odd.append("severity_number")
        severity = 0
    trace_id = trace_id_or_none(record.trace_id, odd)
    span_id = span_id_or_none(record.span_id, odd)
    if odd:
        mark(clean, odd)
    decoded.batch.logs.append(
        (
            time // 1000 - EPOCH,
            time % 1000,
            observed // 1000 - EPOCH if observed else None,
            observed % 1000 if observed else None,
            trace_id,
            span_id,
            record.flags,
            severity,
            name(record.severity_text) or None,
            name(record.event_name) or None,
            body if isinstance(body, str) else None,
            jsonb(body) if body is not None and not isinstance(body, str) else None,
            jsonb(clean),
            record.dropped_attributes_count,
            *ids,
        )
    )
