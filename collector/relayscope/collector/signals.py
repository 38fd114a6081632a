"""The three signals of OTLP: their messages, services and counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One kind of telemetry."""

    name: str
    """As in the HTTP path `/v1/{name}` and in metric labels."""
    service: str
    """The gRPC service whose method `Export` takes it."""
    request: type[Message]
    response: type[Message]
    rejected: str
    """The field of `partial_success` that counts items that were not stored."""

    @property
    def descriptor(self) -> Descriptor:
        """Protobuf's descriptor of its request."""
        return self.request.DESCRIPTOR  # type: ignore[return-value]  # upb's twin of the class

    def __reduce__(self) -> tuple[Callable[[str], Signal], tuple[str]]:
        """Pickle as a name: it is the same signal in another process."""
        return _named, (self.name,)


def _named(name: str) -> Signal:
    return next(signal for signal in SIGNALS if signal.name == name)


TRACES: Final = Signal(
    "traces",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
    "rejected_spans",
)
LOGS: Final = Signal(
    "logs",
    "opentelemetry.proto.collector.logs.v1.LogsService",
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
    "rejected_log_records",
)
METRICS: Final = Signal(
    "metrics",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
    "rejected_data_points",
)
SIGNALS: Final = (TRACES, LOGS, METRICS)
