"""Promises about an OpenTelemetry SDK that the host has set up by itself."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fix_programs import eventually, host_environment, instrumented, line, python, run
from tests.fix_telemetry import OtlpSink

HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "client", "version": "1"},
}


@pytest.fixture
def exported(
    otlp_sink: OtlpSink, tmp_path: Path, request: pytest.FixtureRequest
) -> list[dict[str, Any]]:
    """Run two calls; return the spans that the own exporter of a traced relay's author got.

    The author keeps all traces, or the share of them that the test is parametrized with.
    """
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    file = tmp_path / "spans"
    share = getattr(request, "param", "1")
    relay = python("traced_relay.py", str(file), share, *python("busy_backend.py", "stdio"))
    said = line(id=1, method="initialize", params=HELLO) + line(method="notifications/initialized")
    asked = line(id=2, method="tools/list") + line(id=3, method="prompts/list")

    run(instrumented("relay", relay), environment, said + asked)

    eventually(lambda: [span for _, span in otlp_sink.spans if span.name == "prompts/list"])
    return [json.loads(each) for each in file.read_text().splitlines()]


def test_spans_that_the_host_makes_by_itself_are_recorded(
    exported: list[dict[str, Any]], otlp_sink: OtlpSink
) -> None:
    """They are between the messages of the process that they are a part of."""
    assert exported
    eventually(lambda: len(otlp_sink.spans) >= 6)
    spans = {span.span_id: span for _, span in otlp_sink.spans}
    dispatched = [span for span in spans.values() if span.name == "dispatch"]
    assert {component for component, _ in otlp_sink.spans} == {"relay"}
    assert dispatched
    for span in dispatched:
        below = [each for each in spans.values() if each.parent_span_id == span.span_id]
        assert [each.name for each in below] == [spans[span.parent_span_id].name]


def test_the_hosts_exporter_gets_what_it_would_without_relayscope(
    exported: list[dict[str, Any]],
) -> None:
    """Its own spans, under its own name, and none of ours; so its provider is the global one."""
    assert {span["name"] for span in exported} == {"dispatch"}
    assert {span["resource"]["attributes"]["service.name"] for span in exported} == {"its own"}


@pytest.mark.parametrize("exported", ["0"], indirect=True)
def test_the_hosts_sampler_decides_as_without_relayscope(
    exported: list[dict[str, Any]], otlp_sink: OtlpSink
) -> None:
    """Spans that it leaves out are not exported; our spans are one below the other all the same."""
    eventually(lambda: len(lists(otlp_sink, Span.SPAN_KIND_CLIENT)) == 3)
    received = {span.span_id for span in lists(otlp_sink, Span.SPAN_KIND_SERVER)}
    above = {span.parent_span_id for span in lists(otlp_sink, Span.SPAN_KIND_CLIENT)}

    assert exported == []
    assert len(received) == 2
    assert above == received | {b""}


def lists(otlp_sink: OtlpSink, kind: Span.SpanKind.ValueType) -> list[Span]:
    """The spans of lists that were asked for: two of the client's, and one of the relay's own."""
    spans = [span for _, span in otlp_sink.spans if span.kind == kind]
    return [span for span in spans if span.name.endswith("/list")]


EARLY = """
import sys
from opentelemetry import trace
class Early(trace.NoOpTracerProvider):
    pass
trace.set_tracer_provider(Early())
del sys.path[0], sys.modules["sitecustomize"]
import sitecustomize
"""
SERVER = """
import json, sys
from opentelemetry import trace
for said in sys.stdin:
    name = type(trace.get_tracer_provider()).__name__
    print(json.dumps({"jsonrpc": "2.0", "id": json.loads(said)["id"], "result": name}), flush=True)
"""


def test_a_provider_that_was_named_before_ours_stays_global_and_takes_none_of_our_spans(
    otlp_sink: OtlpSink, tmp_path: Path
) -> None:
    """As that of `ddtrace-run`, which comes before whatever else instruments a process."""
    (tmp_path / "sitecustomize.py").write_text(EARLY)
    start = f'PYTHONPATH="{tmp_path}:$PYTHONPATH" exec "$@"'
    command = ["sh", "-c", start, "sh", sys.executable, "-c", SERVER]
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)

    ran = run(instrumented("early", command), environment, line(id=1, method="ping"))

    assert json.loads(ran.stdout)["result"] == "Early"
    assert "Overriding" not in ran.stderr
    eventually(lambda: otlp_sink.spans)
    assert [(component, span.name) for component, span in otlp_sink.spans] == [("early", "ping")]
