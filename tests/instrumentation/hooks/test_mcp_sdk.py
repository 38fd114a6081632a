"""Promises about the hook for the `mcp` SDK 1.x."""

import json
from collections import Counter

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fix_programs import clean_environment, eventually, instrumented, python, run
from tests.fix_telemetry import OtlpSink


def call(sink: OtlpSink, tool: str, arguments: dict[str, object]) -> list[str]:
    """Call a tool of the SDK server from the SDK client, both traced; return the answers."""
    environment = clean_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
    server = instrumented("server", python("sdk_server.py"))
    client = python("client.py", json.dumps([[tool, arguments]]), "--stdio", *server)
    finished = run(instrumented("client", client), environment)
    answers: list[str] = json.loads(finished.stdout)["answers"]
    return answers


def spans_named(sink: OtlpSink, name: str) -> dict[str, Span]:
    """Return the spans with this name by component."""
    return {component: span for component, span in sink.spans if span.name == name}


def test_client_and_server_share_a_trace_for_every_message(otlp_sink: OtlpSink) -> None:
    """Each request and notification is a span on both sides, the server's the client's child."""
    assert call(otlp_sink, "add", {"a": 1, "b": 2}) == ["3"]

    eventually(lambda: len(otlp_sink.spans) == 8 and len(otlp_sink.records) == 14)
    for name in ("initialize", "notifications/initialized", "tools/list", "tools/call add"):
        spans = spans_named(otlp_sink, name)
        assert spans["client"].kind == Span.SPAN_KIND_CLIENT
        assert spans["server"].kind == Span.SPAN_KIND_SERVER
        assert spans["server"].parent_span_id == spans["client"].span_id
        assert spans["server"].trace_id == spans["client"].trace_id


def test_both_sides_record_the_same_text(otlp_sink: OtlpSink) -> None:
    """What one side says it sent is, to the byte, what the other says it received."""
    call(otlp_sink, "add", {"a": 1, "b": 2})

    eventually(lambda: len(otlp_sink.records) == 14)
    texts: dict[str, Counter[str]] = {"sent": Counter(), "received": Counter()}
    for _, record in otlp_sink.records:
        attributes = {item.key: item.value.string_value for item in record.attributes}
        texts[attributes["relayscope.message.direction"]][record.body.string_value] += 1
    assert texts["sent"] == texts["received"]


def test_a_failing_tool_fails_both_spans(otlp_sink: OtlpSink) -> None:
    """A tool's own error is an error of the call on either side."""
    call(otlp_sink, "add", {"a": "not a number"})

    eventually(lambda: len(otlp_sink.spans) == 8)
    for span in spans_named(otlp_sink, "tools/call add").values():
        attributes = {item.key: item.value.string_value for item in span.attributes}
        assert attributes["error.type"] == "tool_error"
        assert span.status.code == span.status.STATUS_CODE_ERROR
