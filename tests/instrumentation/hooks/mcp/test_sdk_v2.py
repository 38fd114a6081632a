"""Promises about the hook for the `mcp` SDK 2.x, in its own environment."""

import socket
from collections import Counter
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from relayscope.conventions.attributes import ERROR_CANCELLED, ERROR_TYPE, MESSAGE_DIRECTION
from tests.fix_programs import PROGRAMS, Background, eventually, host_environment, run
from tests.fix_telemetry import OtlpSink

# Its environment is not there where `make test-fast` is the first thing that is run.
pytestmark = pytest.mark.processes

ENVIRONMENT = Path(__file__).parents[4] / ".venv-mcp2" / "bin"
CALLS = ("server/discover", "tools/list", "tools/call add", "tools/call add")


def instrumented(service_name: str, *command: str) -> list[str]:
    """Return the command that runs one of the programs with the SDK 2.x, traced."""
    assert ENVIRONMENT.is_dir(), "`make test` makes the environment that this test needs"
    launcher = [str(ENVIRONMENT / "relayscope-instrument"), "--service-name", service_name, "--"]
    program, *arguments = command
    return [*launcher, str(ENVIRONMENT / "python"), str(PROGRAMS / program), *arguments]


@pytest.fixture(params=["stdio", "http"])
def traced(request: pytest.FixtureRequest, otlp_sink: OtlpSink, background: Background) -> OtlpSink:
    """Telemetry of a session's client and server, over each transport."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    if request.param == "stdio":
        target = instrumented("server", "sdk2_server.py")
    else:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = instrumented("server", "sdk2_server.py", str(port))
        background.server(server, environment, port)
        target = [f"http://127.0.0.1:{port}/mcp"]

    finished = run(instrumented("client", "sdk2_client.py", *target), environment)

    assert finished.stdout == "3 True\n", finished.stderr
    eventually(lambda: len(otlp_sink.spans) == 8 and len(otlp_sink.records) == 16)
    return otlp_sink


def test_each_call_is_there_once_on_either_side(traced: OtlpSink) -> None:
    """The SDK's own spans are adopted: one CLIENT and one SERVER span for each call."""
    client, server = (
        sorted(span.name for component, span in traced.spans if component == side)
        for side in ("client", "server")
    )

    assert client == server == sorted(CALLS)
    kinds = Counter(span.kind for _, span in traced.spans)
    assert kinds == {Span.SPAN_KIND_CLIENT: 4, Span.SPAN_KIND_SERVER: 4}


def test_the_servers_span_is_the_clients_child(traced: OtlpSink) -> None:
    """Both halves of a call are in one trace."""
    clients = {span.span_id: span for component, span in traced.spans if component == "client"}
    for component, span in traced.spans:
        if component == "server":
            assert clients[span.parent_span_id].trace_id == span.trace_id
            assert clients[span.parent_span_id].name == span.name


def test_what_one_side_sent_the_other_received(traced: OtlpSink) -> None:
    """To the byte, and once each."""
    texts: dict[str, Counter[str]] = {"sent": Counter(), "received": Counter()}
    for _, record in traced.records:
        attributes = {item.key: item.value.string_value for item in record.attributes}
        texts[attributes[MESSAGE_DIRECTION]][record.body.string_value] += 1

    assert texts["sent"] == texts["received"]
    assert texts["sent"].total() == 8


def test_a_tool_error_fails_both_spans(traced: OtlpSink) -> None:
    """The SDK leaves its client's span unset; here both sides say `tool_error`."""
    failed = [
        (component, {item.key: item.value.string_value for item in span.attributes}[ERROR_TYPE])
        for component, span in traced.spans
        if span.status.code == span.status.STATUS_CODE_ERROR
    ]

    assert sorted(failed) == [("client", "tool_error"), ("server", "tool_error")]


def test_a_call_that_its_caller_gives_up_is_cancelled(otlp_sink: OtlpSink) -> None:
    """This SDK says so to the server, so that the trace has it from the wire."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    target = ["cancelled", str(PROGRAMS / "slow_server.py")]

    asked = run(instrumented("client", "impatient_client.py", *target), environment)

    assert asked.returncode == 0, asked.stderr
    eventually(lambda: "tools/list" in [span.name for _, span in otlp_sink.spans])
    (late,) = (span for _, span in otlp_sink.spans if span.name == "tools/call late")
    assert [each.value.string_value for each in late.attributes if each.key == ERROR_TYPE] == [
        ERROR_CANCELLED
    ]
