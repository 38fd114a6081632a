"""Promises about FastAPI, which makes spans of its own where it finds an SDK."""

import httpx

from tests.fix_programs import (
    Background,
    eventually,
    free_port,
    host_environment,
    instrumented,
    python,
)
from tests.fix_telemetry import OtlpSink

HEALTH = "GET /health"


def spans_of(otlp_sink: OtlpSink, background: Background, *options: str) -> list[str]:
    """Names of the spans of a server that is asked how it is, and then for an answer."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    port = free_port()
    server = instrumented("server", python("fastapi_server.py", str(port), *options))
    background.server(server, environment, port)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert client.get("/health").json() == {"ok": True}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        assert client.post("/mcp", json=message).json()["result"] == {}

    def names() -> list[str]:
        return [span.name for _, span in otlp_sink.spans]

    eventually(lambda: "tools/list" in names())
    return names()


def test_a_host_without_an_sdk_gets_no_spans_of_fastapi(
    otlp_sink: OtlpSink, background: Background
) -> None:
    """FastAPI would make several for each request, as it finds the SDK that is there for us."""
    assert spans_of(otlp_sink, background) == ["tools/list"]


def test_a_host_with_an_sdk_keeps_the_spans_of_fastapi(
    otlp_sink: OtlpSink, background: Background
) -> None:
    """They are what the host has asked for, and are recorded as its own."""
    assert HEALTH in spans_of(otlp_sink, background, "own")
