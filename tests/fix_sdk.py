"""OpenTelemetry SDKs with the OTLP exporters as they come from PyPI, watched by an oracle."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
    OTLPSpanExporter as GrpcSpanExporter,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
    OTLPSpanExporter as HttpSpanExporter,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fix_oracle import Oracle


class _Watched(SpanExporter):
    """Passes everything on to an exporter, and tells the oracle what that says."""

    def __init__(self, exporter: SpanExporter, oracle: Oracle) -> None:
        self._exporter = exporter
        self._oracle = oracle

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export, and remember what succeeded."""
        self._oracle.attempts["sdk"] += 1
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._oracle.acknowledge([str((span.attributes or {})["mark"]) for span in spans])
        return result

    def shutdown(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()


@contextmanager
def sdk_clients(oracle: Oracle, grpc_address: str, http_address: str) -> Iterator[None]:
    """Make spans all the while, and export them with the SDK's own defaults.

    One provider exports over gRPC, the other over HTTP. When the context is left, each has exported
    or given up everything.
    """
    exporters: tuple[SpanExporter, ...] = (
        GrpcSpanExporter(endpoint=grpc_address, insecure=True),
        HttpSpanExporter(endpoint=f"http://{http_address}/v1/traces"),
    )
    stopping = threading.Event()

    def produce(exporter: SpanExporter) -> None:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(_Watched(exporter, oracle)))
        tracer = provider.get_tracer("soak")
        while not stopping.is_set():
            for mark, name in oracle.mint(5).items():
                tracer.start_span(name, attributes={"mark": mark}).end()
            time.sleep(0.02)
        provider.shutdown()

    threads = [threading.Thread(target=produce, args=(exporter,)) for exporter in exporters]
    # They tell of every retry, and what they give up the oracle sees.
    log = logging.getLogger("opentelemetry")
    level = log.level
    log.setLevel(logging.CRITICAL)
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
        log.setLevel(level)
