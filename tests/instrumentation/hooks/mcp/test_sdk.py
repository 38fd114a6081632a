"""Promises about the hook for the `mcp` SDK 1.x."""

import json
from collections import Counter

import httpx
import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from relayscope.conventions.attributes import ERROR_TYPE, MESSAGE_DIRECTION
from tests.fix_programs import (
    PATIENCE_SECONDS,
    Background,
    eventually,
    free_port,
    host_environment,
    instrumented,
    python,
    run,
)
from tests.fix_telemetry import OtlpSink


def call(
    sink: OtlpSink, tool: str, arguments: dict[str, object], backend: str = "asyncio"
) -> list[str]:
    """Call a tool of the SDK server from the SDK client, both traced; return the answers."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint, ANYIO_BACKEND=backend)
    server = instrumented("server", python("sdk_server.py"))
    client = python("client.py", json.dumps([[tool, arguments]]), "--stdio", *server)
    finished = run(instrumented("client", client), environment)
    answers: list[str] = json.loads(finished.stdout)["answers"]
    return answers


def spans_named(sink: OtlpSink, name: str) -> dict[str, Span]:
    """Return the spans with this name by component."""
    return {component: span for component, span in sink.spans if span.name == name}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_client_and_server_share_a_trace_for_every_message(
    otlp_sink: OtlpSink, backend: str
) -> None:
    """Each request and notification is a span on both sides, the server's the client's child."""
    assert call(otlp_sink, "add", {"a": 1, "b": 2}, backend) == ["3"]

    eventually(lambda: len(otlp_sink.spans) == 8 and len(otlp_sink.records) == 14)
    for name in ("initialize", "notifications/initialized", "tools/list", "tools/call add"):
        spans = spans_named(otlp_sink, name)
        assert spans["client"].kind == Span.SPAN_KIND_CLIENT
        assert spans["server"].kind == Span.SPAN_KIND_SERVER
        assert spans["server"].parent_span_id == spans["client"].span_id
        assert spans["server"].trace_id == spans["client"].trace_id


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_both_sides_record_the_same_text(otlp_sink: OtlpSink, backend: str) -> None:
    """Texts that one side records as sent are, to the byte, those that the other received."""
    call(otlp_sink, "add", {"a": 1, "b": 2}, backend)

    eventually(lambda: len(otlp_sink.records) == 14)
    texts: dict[str, Counter[str]] = {"sent": Counter(), "received": Counter()}
    for _, record in otlp_sink.records:
        attributes = {item.key: item.value.string_value for item in record.attributes}
        texts[attributes[MESSAGE_DIRECTION]][record.body.string_value] += 1
    assert texts["sent"] == texts["received"]


def test_a_failing_tool_fails_both_spans(otlp_sink: OtlpSink) -> None:
    """A tool's own error is an error of the call on either side."""
    call(otlp_sink, "add", {"a": "not a number"})

    eventually(lambda: len(otlp_sink.spans) == 8)
    for span in spans_named(otlp_sink, "tools/call add").values():
        attributes = {item.key: item.value.string_value for item in span.attributes}
        assert attributes[ERROR_TYPE] == "tool_error"
        assert span.status.code == span.status.STATUS_CODE_ERROR


def test_an_error_for_a_request_that_reaches_no_stream_is_recorded(
    otlp_sink: OtlpSink, background: Background
) -> None:
    """A session that does not exist is refused over HTTP; the error is the answer, once."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    port = free_port()
    backend = python("busy_backend.py", "stdio")
    relay = instrumented("relay", python("sdk_relay.py", "http", str(port), *backend))
    background.server(relay, environment, port)

    response = httpx.post(
        f"http://127.0.0.1:{port}/mcp/",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}},
        headers={
            "accept": "application/json, text/event-stream",
            "mcp-session-id": "gone",
            "mcp-protocol-version": "2025-06-18",
        },
        timeout=PATIENCE_SECONDS,
    )

    assert response.is_client_error
    assert "server-error" in response.text

    def refusals() -> list[LogRecord]:
        """Its records among those of what the relay says to its backend."""
        return [record for _, record in otlp_sink.records if "server-error" in str(record.body)]

    eventually(refusals)
    (record,) = refusals()
    assert record.body.string_value == response.text
    assert "relayscope.message.odd" not in str(record.attributes)
    of_call = [one for _, one in otlp_sink.records if one.span_id == record.span_id]
    assert "tools/list" in of_call[0].body.string_value
    assert of_call[1:] == [record]

    def refused() -> list[str]:
        """The attributes of the request's span."""
        return [str(one.attributes) for _, one in otlp_sink.spans if one.span_id == record.span_id]

    eventually(refused)
    assert "-32600" in refused()[0]
