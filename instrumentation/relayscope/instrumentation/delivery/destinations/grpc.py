"""OTLP over gRPC."""

from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

from relayscope.instrumentation.delivery.encoding.otlp import Request, Signal

from .answer import Answer, parse_answer
from .destination import MISCONFIGURED_SECONDS, Misconfigured, Refused, Unavailable
from .tls_cause import Place, cause_in_the_clear, cause_over_tls

_METHODS: Final = {
    Signal.TRACES: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    Signal.LOGS: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}

# gRPC's own are 1 s and 120 s: a collector that is back would not be noticed for two minutes.
_CHANNEL_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 2000),
)

_RETRYABLE: Final = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_MISCONFIGURED: Final = frozenset(
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)

_HANDSHAKE: Final = "handshake failed"
"""Part of gRPC's message where the certificates do not fit; it has no code for that."""

_UNREACHED: Final = "failed to connect to all addresses"
"""Part of gRPC's message where no connection came about, of which it may not know why."""

_ADVICE: Final = {
    "wrong_version_number": "the endpoint speaks no TLS: write http:// before it",
    "http1.x server": "the endpoint is an HTTP port: take the one for gRPC (4317), or set"
    " OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
}
"""Advice by a part of gRPC's message, which gives none itself."""


class GrpcDestination:
    """An OTLP/gRPC receiver."""

    def __init__(self) -> None:
        # Their constructors are declared for text only, but pass the options on as they are.
        options: Any = _CHANNEL_OPTIONS
        self._exporters: dict[Signal, Any] = {
            Signal.TRACES: OTLPSpanExporter(channel_options=options),
            Signal.LOGS: OTLPLogExporter(channel_options=options),
        }
        self._calls = {
            signal: exporter._channel.unary_unary(_METHODS[signal])  # noqa: SLF001  # it has no other
            for signal, exporter in self._exporters.items()
        }

    def send(self, request: Request) -> Answer:
        """Send a request once; see `Destination.send`."""
        exporter = self._exporters[request.signal]
        try:
            answer = self._calls[request.signal](
                request.body,
                metadata=exporter._headers,  # noqa: SLF001  # it has no other
                timeout=exporter._timeout,  # noqa: SLF001  # it has no other
            )
        except grpc.RpcError as error:
            raise self._meaning_of(error, request.signal) from None
        return parse_answer(request.signal, answer)

    def _meaning_of(self, error: grpc.RpcError, signal: Signal) -> Exception:
        code = error.code()
        details = str(error.details())
        advice = next((says for part, says in _ADVICE.items() if part in details.lower()), "")
        cause = self._cause(signal) if _UNREACHED in details and not advice else ""
        # gRPC's own words may be about another address.
        message = f"{code.name}: {cause or (f'{advice} ({details})' if advice else details)}"
        retry_after = _retry_after(error)
        is_our_fault = advice or cause or _HANDSHAKE in details.lower()
        if code is grpc.StatusCode.UNAVAILABLE and is_our_fault:
            return Misconfigured(message)
        if code in _RETRYABLE or (code is grpc.StatusCode.RESOURCE_EXHAUSTED and retry_after):
            return Unavailable(message, retry_after)
        if code in _MISCONFIGURED:
            return Misconfigured(message, MISCONFIGURED_SECONDS)
        return Refused(message)

    def _cause(self, signal: Signal) -> str:
        exporter = self._exporters[signal]
        place = Place.of(exporter._endpoint, signal)  # noqa: SLF001  # it has no other
        if place is None:
            return ""
        is_clear = exporter._insecure  # noqa: SLF001  # the same
        return cause_in_the_clear(place) if is_clear else cause_over_tls(place)


def _retry_after(error: grpc.RpcError) -> float | None:
    """The delay of RetryInfo, from wherever a receiver puts it; None if there is none."""
    info = RetryInfo()
    trailers: Any = error.trailing_metadata() or ()
    try:
        for key, value in trailers:
            if key == "google.rpc.retryinfo-bin":
                info.ParseFromString(value)
                return _seconds(info)
            if key == "grpc-status-details-bin":
                for detail in Status.FromString(value).details:
                    if detail.Unpack(info):
                        return _seconds(info)
    except DecodeError:
        pass
    return None


def _seconds(info: RetryInfo) -> float:
    return float(info.retry_delay.seconds) + float(info.retry_delay.nanos) / 1e9
