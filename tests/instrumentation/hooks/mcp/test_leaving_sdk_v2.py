"""Promises about clients of the `mcp` SDK 2.x that leave before they are answered."""

import socket
from collections import Counter
from typing import Any, Final

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from relayscope.conventions.attributes import (
    ERROR_CANCELLED,
    ERROR_TYPE,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_ODD,
)
from tests.fix_programs import PROGRAMS, Background, eventually, host_environment, run
from tests.fix_telemetry import OtlpSink
from tests.instrumentation.hooks.mcp.test_sdk_v2 import ENVIRONMENT, instrumented

# Its environment is not there where `make test-fast` is the first thing that is run.
pytestmark = pytest.mark.processes

LISTEN: Final = "subscriptions/listen"
ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
CANCELLED: Final = "notifications/cancelled"
PROTOCOL: Final = "2026-07-28"
"""Without asking for it: `server/discover` is given up after ten seconds, which a test may take."""

LEAVER: Final = (str(ENVIRONMENT / "python"), str(PROGRAMS / "sdk2_leaver.py"))


def text_of(item: Any, name: str) -> str:
    """An attribute of a span or record, empty if it has none of this name."""
    return next((each.value.string_value for each in item.attributes if each.key == name), "")


def spans(sink: OtlpSink, name: str) -> dict[str, Span]:
    """The spans of this name by their component."""
    return {component: span for component, span in sink.spans if span.name == name}


def served(otlp_sink: OtlpSink, background: Background) -> str:
    """Run the server, traced, and return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    background.server(instrumented("server", "sdk2_server.py", str(port)), environment, port)
    return f"http://127.0.0.1:{port}/mcp"


def leave(otlp_sink: OtlpSink, *command: str) -> None:
    """Run the client, and wait until its last call has arrived from the server."""
    finished = run([*command], host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint))
    assert finished.stdout == "3\n", finished.stderr
    eventually(lambda: {"tools/call add", "tools/call wait"} <= names(otlp_sink, "server"))


def names(sink: OtlpSink, side: str) -> set[str]:
    """The names of a component's spans."""
    return {span.name for component, span in sink.spans if component == side}


@pytest.fixture(params=["stdio", "http"])
def left(request: pytest.FixtureRequest, otlp_sink: OtlpSink, background: Background) -> OtlpSink:
    """Telemetry of a client that has left, of protocol 2026-07-28, and of its server."""
    if request.param == "stdio":
        target = instrumented("server", "sdk2_server.py")
    else:
        target = [served(otlp_sink, background)]
    leave(otlp_sink, *instrumented("client", "sdk2_leaver.py", PROTOCOL, *target))
    eventually(lambda: len(spans(otlp_sink, LISTEN)) == 2 == len(spans(otlp_sink, ACKNOWLEDGED)))
    eventually(lambda: len(records(otlp_sink, '"text":"3"')) == 2)
    return otlp_sink


def records(sink: OtlpSink, said: str) -> list[str]:
    """In which directions messages with this in their text have crossed."""
    return [
        text_of(record, MESSAGE_DIRECTION)
        for _, record in sink.records
        if said in record.body.string_value
    ]


def test_a_subscription_is_in_one_trace_and_nothing_in_it_is_odd(left: OtlpSink) -> None:
    """The server's first word carries the context of the request that it acknowledges."""
    traces = {
        span.trace_id for name in (LISTEN, ACKNOWLEDGED) for span in spans(left, name).values()
    }

    assert len(traces) == 1
    assert not [record for _, record in left.records if text_of(record, MESSAGE_ODD)]


def test_a_subscription_that_is_left_has_not_failed(left: OtlpSink) -> None:
    """Who listens has no other way to say that it has heard enough."""
    ended = spans(left, LISTEN)

    assert {span.status.code for span in ended.values()} == {Span().status.STATUS_CODE_UNSET}
    assert {text_of(span, ERROR_TYPE) for span in ended.values()} == {""}


def test_a_cancelled_call_says_so_on_both_sides(left: OtlpSink) -> None:
    """Over HTTP too, where since 2026-07-28 to leave the response says it."""
    ended = spans(left, "tools/call wait")

    assert {side: text_of(span, ERROR_TYPE) for side, span in ended.items()} == {
        "client": ERROR_CANCELLED,
        "server": ERROR_CANCELLED,
    }


def test_a_cancellation_is_recorded_only_if_it_is_sent(left: OtlpSink) -> None:
    """The SDK's transport keeps it to itself over HTTP; what one side sent the other received."""
    texts: dict[str, Counter[str]] = {"sent": Counter(), "received": Counter()}
    for _, record in left.records:
        if text_of(record, MCP_METHOD_NAME) == CANCELLED:
            texts[text_of(record, MESSAGE_DIRECTION)][record.body.string_value] += 1

    assert texts["sent"] == texts["received"]


def test_a_client_that_is_not_traced_cancels_by_leaving(
    otlp_sink: OtlpSink, background: Background
) -> None:
    """The server says so by itself: nobody has failed to answer."""
    leave(otlp_sink, *LEAVER, PROTOCOL, served(otlp_sink, background))
    eventually(lambda: LISTEN in names(otlp_sink, "server"))

    ended = spans(otlp_sink, "tools/call wait")["server"]
    assert text_of(ended, ERROR_TYPE) == ERROR_CANCELLED
    assert text_of(spans(otlp_sink, LISTEN)["server"], ERROR_TYPE) == ""


def test_the_answer_that_confirms_a_cancellation_is_recorded_and_not_odd(
    otlp_sink: OtlpSink, background: Background
) -> None:
    """Before 2026-07-28 the SDK ends a cancelled request's response with an error of its own."""
    target = served(otlp_sink, background)
    leave(otlp_sink, *instrumented("client", "sdk2_leaver.py", "legacy", target))

    eventually(lambda: sorted(records(otlp_sink, "Request cancelled")) == ["received", "sent"])
    assert not [record for _, record in otlp_sink.records if text_of(record, MESSAGE_ODD)]
