"""A read that is cancelled or times out is seen in every library, and ends its call."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from relayscope.conventions.attributes import ERROR_STOPPED_READING, ERROR_TYPE, MESSAGE_ODD
from tests.fix_programs import (
    PROGRAMS,
    Background,
    eventually,
    host_environment,
    instrumented,
    python,
    run,
)
from tests.fix_telemetry import OtlpSink


@pytest.mark.parametrize(
    "transport",
    ["asyncio", "sync", "legacy", "aiohttp", "pipes", "session", "cancelled", "scope"],
)
def test_a_call_ends_when_the_host_stops_reading(
    otlp_sink: OtlpSink, background: Background, transport: str
) -> None:
    """The next call is answered as it should be, and the answer to the first one is late."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    if transport in {"pipes", "session", "cancelled", "scope"}:
        target = str(PROGRAMS / "slow_server.py")
    else:
        port = background.listening(python("world_backend.py", "behind", "0"), environment)
        target = f"ws://127.0.0.1:{port}"

    asked = run(
        instrumented("client", python("impatient_client.py", transport, target)), environment
    )

    assert asked.returncode == 0, asked.stderr
    eventually(lambda: "tools/list" in [span.name for _, span in otlp_sink.spans])
    eventually(lambda: len(otlp_sink.records) >= 4)
    assert error_types(otlp_sink) == {
        "tools/call late": [ERROR_STOPPED_READING],
        "tools/list": [],
    }
    odd = [
        each.value.string_value
        for _, record in otlp_sink.records
        for each in record.attributes
        if each.key == MESSAGE_ODD
    ]
    assert odd == ["late_answer"]


def test_leaving_a_session_gives_up_what_a_task_still_waits_for(otlp_sink: OtlpSink) -> None:
    """Nobody says of the server that it has not answered: nobody read what it would have said."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    program = str(PROGRAMS / "slow_server.py")

    asked = run(instrumented("client", python("impatient_client.py", "left", program)), environment)

    assert asked.returncode == 0, asked.stderr
    eventually(lambda: otlp_sink.spans)
    assert error_types(otlp_sink) == {"tools/call late": [ERROR_STOPPED_READING]}


def error_types(sink: OtlpSink) -> dict[str, list[str]]:
    """Return what became of each call that was made, by its name."""
    return {
        span.name: [each.value.string_value for each in span.attributes if each.key == ERROR_TYPE]
        for _, span in sink.spans
        if span.kind == Span.SPAN_KIND_CLIENT
    }
