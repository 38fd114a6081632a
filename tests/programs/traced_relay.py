"""A relay of the `mcp` SDK 1.x whose author has set OpenTelemetry up by himself.

usage: traced_relay.py FILE SHARE COMMAND ...

It makes a span around each request to its backend, and exports those of a share of its traces, from
0 to 1, to a file, as JSON.
"""

import asyncio
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

sdk_relay: Any = import_module("sdk_relay")


class Traced:
    """Sends requests to a backend, each in a span of the relay's own."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._tracer = trace.get_tracer("relay")

    async def send_request(self, *request: Any, **options: Any) -> Any:
        """Send a request; return its result."""
        with self._tracer.start_as_current_span("dispatch"):
            return await self._session.send_request(*request, **options)


async def relay_to(command: list[str]) -> None:
    """Relay until the client closes its end."""
    relay = sdk_relay.Relay()
    async with sdk_relay.open_backend(command) as streams, relay.session(*streams) as session:
        relay.backend = Traced(session)
        await relay.serve_stdio()


def main() -> None:
    """Set OpenTelemetry up, and relay."""
    file, share, *command = sys.argv[1:]
    provider = TracerProvider(
        ParentBased(TraceIdRatioBased(float(share))),
        Resource.create({"service.name": "its own"}),
    )
    with Path(file).open("w") as out:
        exporter = ConsoleSpanExporter(out=out, formatter=lambda span: span.to_json(None) + "\n")
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        asyncio.run(relay_to(command))
        provider.shutdown()


if __name__ == "__main__":
    main()
