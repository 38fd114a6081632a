"""R25: a request with every field set is stored and read back equal, through every door."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from relayscope.collector.signals import LOGS, METRICS, SIGNALS, TRACES, Signal
from tests import otlp_samples, stored_otlp
from tests.fix_collector import JSON, PROTOBUF, Collector, export

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from sqlalchemy import Engine

SENT: dict[Signal, Message] = {
    TRACES: otlp_samples.traces(),
    LOGS: otlp_samples.logs(),
    METRICS: otlp_samples.metrics(),
}


def send(collector: Collector, door: str, signal: Signal, request: Message) -> None:
    """Through one of the doors; it must be answered with full success."""
    raw = request.SerializeToString()
    if door == "gRPC":
        with grpc.insecure_channel(collector.grpc) as channel:
            assert export(channel, signal, raw) == b""
        return
    media_type = PROTOBUF
    if "JSON" in door:
        raw = json.dumps(otlp_samples.as_json(request)).encode()
        media_type = JSON
    if "gzip" in door:
        reply = collector.post(signal.name, gzip.compress(raw), media_type, content_encoding="gzip")
    else:
        reply = collector.post(signal.name, raw, media_type)
    assert (reply.status, reply.body) == (200, b"{}" if media_type == JSON else b"")


def without_empty_bodies(logs: ExportLogsServiceRequest) -> ExportLogsServiceRequest:
    """A body that holds nothing is stored as none."""
    for record in logs.resource_logs[0].scope_logs[0].log_records:
        if record.body.WhichOneof("value") is None:
            record.ClearField("body")
    return logs


@pytest.mark.parametrize("door", ["gRPC", "HTTP protobuf", "HTTP JSON", "HTTP JSON, gzip"])
def test_every_field_is_read_back_as_it_was_sent(
    collector: Collector, engine: Engine, door: str
) -> None:
    """Times to the nanosecond, ids, counts, every kind of value, events, links, exemplars."""
    for signal, request in SENT.items():
        send(collector, door, signal, request)
    stored: dict[Signal, Message] = {
        TRACES: stored_otlp.traces(engine),
        LOGS: stored_otlp.logs(engine),
        METRICS: stored_otlp.metrics(engine),
    }
    expected = SENT | {LOGS: without_empty_bodies(otlp_samples.logs())}
    for signal in SIGNALS:
        assert stored_otlp.canonical(stored[signal]) == stored_otlp.canonical(expected[signal])
