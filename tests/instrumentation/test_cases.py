"""Promises about failures that were seen in the field: the traces tell what went wrong."""

import json
import sys
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.fix_programs import (
    Background,
    eventually,
    host_environment,
    instrumented,
    line,
    python,
    run,
)
from tests.fix_telemetry import OtlpSink

HELLO = line(id=1, method="initialize", params={}) + line(method="notifications/initialized")


def attributes(item: Any) -> dict[str, str]:
    """The text attributes of a span or record."""
    return {each.key: each.value.string_value for each in item.attributes}


def bodies(sink: OtlpSink, component: str) -> list[dict[str, Any]]:
    """The messages that a component has recorded."""
    return [
        json.loads(record.body.string_value) for name, record in sink.records if name == component
    ]


def results(otlp_sink: OtlpSink, id_: int) -> list[object]:
    """Return what the relay answered to a request."""
    return [
        message.get("result") for message in bodies(otlp_sink, "relay") if message.get("id") == id_
    ]


def test_case_a_a_wrong_port_is_seen_from_the_call_that_fails(otlp_sink: OtlpSink) -> None:
    """The connection's failure, a list without the tools, and a call that reaches no backend."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    relay = instrumented("relay", python("websocket_relay.py", "gates=ws://127.0.0.1:1"))
    calls = line(id=2, method="tools/list") + line(
        id=3, method="tools/call", params={"name": "gates_create_document", "arguments": {}}
    )

    run(relay, environment, HELLO + calls)

    eventually(lambda: len(otlp_sink.spans) == 5)
    spans = {span.name: span for _, span in otlp_sink.spans}
    connect = spans["connect"]
    assert connect.kind == Span.SPAN_KIND_CLIENT
    assert attributes(connect)["error.type"] == "ConnectionRefusedError"
    assert connect.parent_span_id == spans["initialize"].span_id
    call = spans["tools/call gates_create_document"]
    assert attributes(call)["error.type"] == "-32603"
    assert [span.kind for _, span in otlp_sink.spans].count(Span.SPAN_KIND_CLIENT) == 1
    eventually(lambda: {"tools": []} in results(otlp_sink, 2))


def test_case_b_a_client_that_never_lists_again_is_seen_by_what_is_missing(
    otlp_sink: OtlpSink,
) -> None:
    """`list_changed` is recorded, and after it neither a list nor a call."""
    program = (
        "import sys\nfor line in sys.stdin: print(line.replace('initialized', "
        "'tools/list_changed'), end='', flush=True)"
    )
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)

    run(
        instrumented("relay", [sys.executable, "-c", program]),
        environment,
        line(method="notifications/initialized"),
    )

    eventually(lambda: len(otlp_sink.records) == 2)
    methods = [attributes(record)["mcp.method.name"] for _, record in otlp_sink.records]
    assert methods == ["notifications/initialized", "notifications/tools/list_changed"]


def test_case_c_a_late_answer_to_a_notification_is_told_from_the_answer_it_is_taken_for(
    otlp_sink: OtlpSink, background: Background
) -> None:
    """The relay takes it for the list of tools; its record says what it is."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    port = background.listening(python("late_backend.py", "0.7", "0"), environment)
    relay = instrumented("relay", python("websocket_relay.py", f"late=ws://127.0.0.1:{port}"))

    finished = run(relay, environment, line(id=1, method="initialize", params={}))

    assert finished.returncode != 0
    eventually(lambda: len(otlp_sink.records) >= 6)
    odd = [
        attributes(record)["relayscope.message.odd"]
        for _, record in otlp_sink.records
        if "relayscope.message.odd" in attributes(record)
    ]
    assert odd == ["answer_to_notification"]
    listing = next(span for _, span in otlp_sink.spans if span.name == "tools/list")
    assert listing.kind == Span.SPAN_KIND_CLIENT


def test_case_d_one_trace_has_the_call_on_every_leg(
    otlp_sink: OtlpSink, background: Background
) -> None:
    """From a client's own context to the backend, through a relay that knows nothing of it."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    port = background.websocket_backend("gates", environment, wrap=instrumented("gates", []))
    relay = instrumented("relay", python("websocket_relay.py", f"gates=ws://127.0.0.1:{port}"))
    trace = "0af7651916cd43dd8448eb211c80319c"
    call = line(
        id=2,
        method="tools/call",
        params={
            "name": "gates_create_document",
            "arguments": {},
            "_meta": {"traceparent": f"00-{trace}-b7ad6b7169203331-01"},
        },
    )

    run(relay, environment, HELLO + call)

    name = "tools/call gates_create_document"

    def spans() -> list[tuple[str, Span]]:
        return [(component, span) for component, span in otlp_sink.spans if span.name == name]

    eventually(lambda: len(spans()) == 3)
    by_id = {span.span_id: (component, span) for component, span in spans()}
    (backend,) = (span for component, span in spans() if component == "gates")
    between = by_id[backend.parent_span_id]
    first = by_id[between[1].parent_span_id]
    assert [between[0], first[0]] == ["relay", "relay"]
    assert first[1].parent_span_id.hex() == "b7ad6b7169203331"
    assert {span.trace_id.hex() for _, span in spans()} == {trace}


@pytest.mark.parametrize(
    ("manners", "odd"),
    [
        ("gates", ["answer_to_notification"]),
        ("dewey", ["answer_to_notification"]),
        ("playfair", ["answer_to_notification"]),
    ],
)
def test_each_backends_manners_are_told(
    otlp_sink: OtlpSink, background: Background, manners: str, odd: list[str]
) -> None:
    """A backend's messages against the specification are marked on the relay's side of the leg."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    port = background.websocket_backend(manners, environment, wrap=[])
    relay = instrumented("relay", python("websocket_relay.py", f"x=ws://127.0.0.1:{port}"))

    run(relay, environment, HELLO + line(id=2, method="tools/list"))

    eventually(lambda: len(otlp_sink.records) == 11)
    marked = [attributes(record).get("relayscope.message.odd") for _, record in otlp_sink.records]
    assert [mark for mark in marked if mark] == odd
    hello = next(message for message in bodies(otlp_sink, "relay") if "result" in message)["result"]
    assert ("protocolVersion" in hello) == (manners != "playfair")
