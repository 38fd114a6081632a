"""An exchange whose spans and log records stay in memory, and an OTLP receiver that keeps them."""

from collections.abc import Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as ProtoLogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from relayscope.conventions import events
from relayscope.conventions.events import EVENT_MESSAGE
from relayscope.instrumentation import Exchange, Levels
from relayscope.instrumentation.recording.channel_log import ChannelLog
from relayscope.instrumentation.recording.message_log import MessageLog
from relayscope.instrumentation.recording.metrics import Durations
from relayscope.instrumentation.recording.spans import Spans
from relayscope.sanitizer import Sanitizer


@dataclass
class Telemetry:
    """An exchange and what it has made so far."""

    exchange: Exchange
    metrics: InMemoryMetricReader
    _spans: InMemorySpanExporter
    _records: InMemoryLogRecordExporter

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans that have ended, in the order in which they did."""
        return list(self._spans.get_finished_spans())

    @property
    def records(self) -> list[ReadableLogRecord]:
        """The log records of messages, in the order in which they were made."""
        return [record for record in self._all if record.log_record.event_name == EVENT_MESSAGE]

    @property
    def events(self) -> list[LogRecord]:
        """The other log records: of channels."""
        return [
            record.log_record
            for record in self._all
            if record.log_record.event_name != EVENT_MESSAGE
        ]

    @property
    def _all(self) -> list[ReadableLogRecord]:
        return list(self._records.get_finished_logs())

    @property
    def bodies(self) -> list[Any]:
        """The bodies of the log records."""
        return [record.log_record.body for record in self.records]

    def span(self, name: str) -> ReadableSpan:
        """Return the one span with this name."""
        (span,) = (span for span in self.spans if span.name == name)
        return span


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """An exchange at level TRACE that keeps what it makes in memory."""
    spans = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    records = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped
    loggers = LoggerProvider()
    loggers.add_log_record_processor(SimpleLogRecordProcessor(records))
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader])
    sanitizer = Sanitizer.default()
    made = Spans(tracers.get_tracer("test"), sanitizer, Durations(meters.get_meter("test")))
    logger = loggers.get_logger("test")
    exchange = Exchange(
        made, MessageLog(logger, sanitizer), ChannelLog(logger, sanitizer), Levels()
    )
    yield Telemetry(exchange, reader, spans, records)
    tracers.shutdown()
    loggers.shutdown()
    meters.shutdown()


@dataclass
class OtlpSink(
    trace_service_pb2_grpc.TraceServiceServicer, logs_service_pb2_grpc.LogsServiceServicer
):
    """An OTLP/gRPC receiver that keeps what it gets, by component: messages apart from others."""

    endpoint: str = ""
    spans: list[tuple[str, Span]] = field(default_factory=list)
    records: list[tuple[str, ProtoLogRecord]] = field(default_factory=list)
    logs: list[tuple[str, ProtoLogRecord]] = field(default_factory=list)
    events: list[tuple[str, ProtoLogRecord]] = field(default_factory=list)
    accounts: list[tuple[str, ProtoLogRecord]] = field(default_factory=list)

    def Export(self, request: Any, _context: Any) -> Any:  # noqa: N802  # the service's own name
        """Take a request of either signal."""
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    self.spans += [(_component(resource), span) for span in scope.spans]
            return trace_service_pb2.ExportTraceServiceResponse()
        for resource in request.resource_logs:
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    kept = self._kept(record.event_name)
                    kept.append((_component(resource), record))
        return logs_service_pb2.ExportLogsServiceResponse()

    def _kept(self, event_name: str) -> list[tuple[str, ProtoLogRecord]]:
        match event_name:
            case events.EVENT_MESSAGE:
                return self.records
            case events.EVENT_DELIVERY:
                return self.accounts
            case (
                events.EVENT_CHANNEL_OPENED | events.EVENT_CHANNEL_CLOSED | events.EVENT_SEND_FAILED
            ):
                return self.events
            case _:
                return self.logs


def _component(resource: Any) -> str:
    names: dict[str, str] = {
        item.key: item.value.string_value for item in resource.resource.attributes
    }
    return names["service.name"]


@pytest.fixture
def otlp_sink() -> Iterator[OtlpSink]:
    """An OTLP/gRPC receiver on a free port of the loopback interface."""
    sink = OtlpSink()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    # The generated functions are untyped.
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(sink, server)  # type: ignore[no-untyped-call]  # generated
    logs_service_pb2_grpc.add_LogsServiceServicer_to_server(sink, server)  # type: ignore[no-untyped-call]  # generated
    sink.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield sink
    server.stop(None).wait()
