"""OTLP over HTTP, with the binary encoding."""

import math
import os
from contextlib import suppress
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from relayscope.instrumentation.delivery.encoding.otlp import Request, Signal

from .answer import Answer, parse_answer
from .destination import MISCONFIGURED_SECONDS, Misconfigured, Refused, Unavailable

_RETRYABLE: Final = frozenset({429, 502, 503, 504})
_MISCONFIGURED: Final = frozenset({401, 403, 404, 405, 407})


class HttpDestination:
    """An OTLP/HTTP receiver."""

    def __init__(self) -> None:
        if any(name.endswith("_CERTIFICATE") for name in os.environ if name.startswith("OTEL_")):
            # The requests library prefers these to what it is told; this process is ours.
            for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
                os.environ.pop(name, None)
        self._clients: dict[Signal, Any] = {
            Signal.TRACES: OTLPSpanExporter()._client,  # noqa: SLF001  # it has no other
            Signal.LOGS: OTLPLogExporter()._client,  # noqa: SLF001  # it has no other
        }

    def send(self, request: Request) -> Answer:
        """Send a request once; see `Destination.send`."""
        client = self._clients[request.signal]
        # The one thing that it does beside sending: if a kept connection turns out to be closed, it
        # sends once more over a new one.
        result = client._submit(client._compress(request.body), client._timeout)  # noqa: SLF001  # it has no other
        status = result.status_code
        if status is None:
            kind = Misconfigured if "SSL" in str(result.error) else Unavailable
            raise kind(str(result.error))
        message = f"HTTP {status} {result.reason}"
        if status in _RETRYABLE:
            raise Unavailable(message, _retry_after(result))
        if status in _MISCONFIGURED:
            raise Misconfigured(message, MISCONFIGURED_SECONDS)
        if not 200 <= status < 300:  # noqa: PLR2004  # HTTP's own numbers
            raise Refused(message)
        return parse_answer(request.signal, result.content())


def _retry_after(result: Any) -> float | None:
    with suppress(ValueError):
        seconds = float(result.headers().get("retry-after", ""))
        return seconds if math.isfinite(seconds) and seconds >= 0 else None
    return None
