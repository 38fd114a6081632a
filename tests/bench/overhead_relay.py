"""The relay of `bench_overhead`: a WebSocket to its client, a WebSocket to its backend.

usage: overhead_relay.py VARIANT BACKEND_PORT

VARIANT is `plain`, `again` (the same), `bare` (the OpenTelemetry SDK makes two spans and four log
records for each call, written by hand), or a level (relayscope does, with its hook). What is made
goes through the SDK's batch processors to exporters that throw it away; with `exporting`, which is
`bare` otherwise, through the SDK's own OTLP exporters. Serves on two free ports,
which it prints: on the second, no hook sees the connections. For each line on stdin it prints the
CPU time that it has used so far, in ns.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    LogRecordExporter,
    LogRecordExportResult,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Tracer
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from relayscope.instrumentation import Exchange, Level, Levels
from relayscope.instrumentation.hooks.websockets.websockets import WebsocketsInstrumentor
from relayscope.instrumentation.recording.channel_log import ChannelLog
from relayscope.instrumentation.recording.message_log import MessageLog
from relayscope.instrumentation.recording.metrics import Durations
from relayscope.instrumentation.recording.spans import Spans
from relayscope.sanitizer import Sanitizer
from tests.bench.unhooked import UnhookedClient, UnhookedServer

# What relayscope puts on the spans and records of such a call, for the bare SDK to put there too.
_CALL: dict[str, Any] = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "add"}
_PLACE: dict[str, Any] = {
    "jsonrpc.request.id": "1",
    "network.transport": "tcp",
    "network.protocol.name": "websocket",
    "relayscope.peer": "127.0.0.1:9051",
}
_EXECUTED: dict[str, Any] = {**_CALL, "gen_ai.operation.name": "execute_tool"}
SPAN_ATTRIBUTES: dict[str, Any] = {
    **_EXECUTED,
    **_PLACE,
    "server.address": "127.0.0.1",
    "server.port": 9051,
}
_CROSSED: dict[str, Any] = {
    **_PLACE,
    "relayscope.message.direction": "sent",
    "relayscope.message.size": 500,
    "relayscope.channel.id": "0123456789abcdef",
    "relayscope.channel.sequence": 1,
}
REQUEST_ATTRIBUTES: dict[str, Any] = {
    **_EXECUTED,
    **_CROSSED,
    "relayscope.message.kind": "request",
}
ANSWER_ATTRIBUTES: dict[str, Any] = {**_CALL, **_CROSSED, "relayscope.message.kind": "result"}

Answer = Callable[[ServerConnection, ClientConnection], Any]


class NoSpans(SpanExporter):
    """Throws spans away."""

    def export(self, _spans: Any) -> SpanExportResult:
        """Throw them away."""
        return SpanExportResult.SUCCESS


class NoRecords(LogRecordExporter):
    """Throws log records away."""

    def export(self, _batch: Any) -> LogRecordExportResult:
        """Throw them away."""
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Have nothing to do."""

    def force_flush(self, _timeout_millis: int = 0) -> bool:
        """Have nothing to do."""
        return True


def sdk(spans: SpanExporter, records: LogRecordExporter) -> tuple[Tracer, Logger]:
    """The SDK with its own batch processors."""
    tracers, loggers = TracerProvider(), LoggerProvider()
    tracers.add_span_processor(BatchSpanProcessor(spans))
    loggers.add_log_record_processor(BatchLogRecordProcessor(records))
    return tracers.get_tracer("bench"), loggers.get_logger("bench")


async def relay(client: ServerConnection, backend: ClientConnection) -> None:
    """Relay calls, one after the other."""
    async for request in client:
        await backend.send(request)
        await client.send(await backend.recv())


def relay_with(tracer: Tracer, logger: Logger) -> Answer:
    """Relay likewise, and make two spans and four records of each call.

    It neither reads the messages nor carries the context on: that is no part of the comparison, and
    relayscope's figures have it on top.
    """

    def log(text: Any, attributes: dict[str, Any]) -> None:
        logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                severity_number=SeverityNumber.TRACE,
                severity_text="TRACE",
                event_name="mcp.message",
                body=text,
                attributes=dict(attributes),
            )
        )

    async def traced(client: ServerConnection, backend: ClientConnection) -> None:
        async for request in client:
            with tracer.start_as_current_span(
                "tools/call add", kind=SpanKind.SERVER, attributes=dict(SPAN_ATTRIBUTES)
            ):
                log(request, REQUEST_ATTRIBUTES)
                with tracer.start_as_current_span(
                    "tools/call add", kind=SpanKind.CLIENT, attributes=dict(SPAN_ATTRIBUTES)
                ):
                    log(request, REQUEST_ATTRIBUTES)
                    await backend.send(request)
                    answer = await backend.recv()
                    log(answer, ANSWER_ATTRIBUTES)
                log(answer, ANSWER_ATTRIBUTES)
                await client.send(answer)

    return traced


def prepared(variant: str) -> Answer:
    """The relay of a variant, instrumented if it is to be."""
    if variant in {"plain", "again"}:
        return relay
    if variant == "exporting":
        return relay_with(*sdk(OTLPSpanExporter(), OTLPLogExporter()))
    tracer, logger = sdk(NoSpans(), NoRecords())
    if variant == "bare":
        return relay_with(tracer, logger)
    sanitizer = Sanitizer.default()
    # As where no metrics are exported, which is the default.
    durations = Durations(NoOpMeterProvider().get_meter("bench"))
    spans = Spans(tracer, sanitizer, durations)
    levels = Levels(Level.named(variant))
    exchange = Exchange(spans, MessageLog(logger, sanitizer), ChannelLog(logger, sanitizer), levels)
    WebsocketsInstrumentor().instrument(exchange=exchange)
    return relay


async def report() -> None:
    """Print the CPU time for each line on stdin."""
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(time.process_time_ns(), flush=True)


@asynccontextmanager
async def serving(
    answer: Answer,
    backend_port: int,
    client_class: type[ClientConnection] = ClientConnection,
    server_class: type[ServerConnection] = ServerConnection,
) -> AsyncIterator[int]:
    """Serve on a free port; yield it."""

    async def handle(client: ServerConnection) -> None:
        url = f"ws://127.0.0.1:{backend_port}"
        to_backend = connect(
            url, create_connection=client_class, compression=None, proxy=None, max_size=None
        )
        async with to_backend as backend:
            await answer(client, backend)

    server = serve(handle, "127.0.0.1", 0, create_connection=server_class, compression=None)
    async with server as serving:
        yield serving.sockets[0].getsockname()[1]


async def main() -> None:
    """Serve until stdin ends."""
    variant, backend = sys.argv[1], int(sys.argv[2])
    async with (
        serving(prepared(variant), backend) as port,
        serving(relay, backend, UnhookedClient, UnhookedServer) as unhooked_port,
    ):
        print(port, unhooked_port, flush=True)
        await report()


if __name__ == "__main__":
    asyncio.run(main())
