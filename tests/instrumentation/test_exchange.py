"""Promises about pairing messages and about the spans they belong to."""

import json

from opentelemetry import context as otel_context
from opentelemetry.trace import SpanKind, StatusCode

from relayscope.conventions.attributes import (
    ERROR_TYPE,
    ERROR_UNANSWERED,
    GEN_AI_OPERATION_NAME,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    NETWORK_TRANSPORT,
    RPC_RESPONSE_STATUS_CODE,
)
from relayscope.instrumentation import Level, Levels
from relayscope.instrumentation.context import current_span
from relayscope.instrumentation.text_exchange import TextExchange
from tests.fix_telemetry import Telemetry
from tests.instrumentation.jsonrpc import error, odd, pipes, request, result, send

TRACE = "0af7651916cd43dd8448eb211c80319c"
REMOTE = f"00-{TRACE}-b7ad6b7169203331-01"


def test_a_sent_request_and_its_answer_share_a_client_span(telemetry: Telemetry) -> None:
    """The span begins with the request, carries its names, and ends with the answer."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    sent = send(text_exchange, channel, request(7, name="add"))
    assert telemetry.spans == []
    text_exchange.received(channel, result(7))

    span = telemetry.span("tools/call add")
    assert span.kind is SpanKind.CLIENT
    assert span.attributes is not None
    assert span.attributes[JSONRPC_REQUEST_ID] == "7"
    assert span.attributes[GEN_AI_TOOL_NAME] == "add"
    assert span.attributes[GEN_AI_OPERATION_NAME] == "execute_tool"
    assert span.attributes[NETWORK_TRANSPORT] == "pipe"
    assert telemetry.bodies == [sent, result(7)]
    assert {record.log_record.span_id for record in telemetry.records} == {
        span.get_span_context().span_id  # type: ignore[union-attr]  # a finished span has one
    }


def test_a_relayed_call_is_a_chain_of_spans(telemetry: Telemetry) -> None:
    """A call that a relay sends while it works for a request is a child of that request's span."""
    text_exchange, client, backend = TextExchange(telemetry.exchange), pipes(), pipes()

    text_exchange.received(client, request(1, name="add", _meta={"traceparent": REMOTE}))
    forwarded = send(text_exchange, backend, request(3, name="add"))
    text_exchange.received(backend, result(3))
    send(text_exchange, client, result(1))

    outgoing, incoming = telemetry.spans
    assert (outgoing.kind, incoming.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    assert incoming.parent is not None
    assert f"{incoming.parent.span_id:016x}" == "b7ad6b7169203331"
    assert outgoing.parent == incoming.context
    assert outgoing.context is not None
    assert f"{outgoing.context.trace_id:032x}" == TRACE
    carried = json.loads(forwarded)["params"]["_meta"]["traceparent"]
    assert carried.split("-")[1:3] == [TRACE, f"{outgoing.context.span_id:016x}"]


def test_a_context_forwarded_verbatim_does_not_skip_the_relay(telemetry: Telemetry) -> None:
    """A relay that copies `_meta` and has lost its context still parents the backend's span."""
    text_exchange, client, backend = TextExchange(telemetry.exchange), pipes(), pipes()

    text_exchange.received(client, request(1, name="add", _meta={"traceparent": REMOTE}))
    token = otel_context.attach(otel_context.Context())
    forwarded = send(text_exchange, backend, request(3, name="add", _meta={"traceparent": REMOTE}))
    otel_context.detach(token)
    text_exchange.received(backend, result(3))
    send(text_exchange, client, result(1))

    outgoing, incoming = telemetry.spans
    assert outgoing.parent == incoming.context
    assert REMOTE not in forwarded


def test_answering_a_request_gives_the_task_its_own_context_back(telemetry: Telemetry) -> None:
    """Calls that a task sends after it has answered are no longer part of the answered call."""
    text_exchange, client, backend = TextExchange(telemetry.exchange), pipes(), pipes()

    text_exchange.received(client, request(1, name="add"))
    send(text_exchange, client, result(1))
    send(text_exchange, backend, request(1, method="ping"))
    text_exchange.received(backend, result(1))

    assert telemetry.span("ping").parent is None


def test_without_a_context_a_request_begins_a_new_trace(telemetry: Telemetry) -> None:
    """A request that carries no context is not made a part of the request before it."""
    text_exchange, client = TextExchange(telemetry.exchange), pipes()

    text_exchange.received(client, request(1, name="first"))
    text_exchange.received(client, request(2, name="second"))
    send(text_exchange, client, result(1))
    send(text_exchange, client, result(2))

    first, second = telemetry.spans
    assert second.parent is None
    assert first.context is not None
    assert second.context is not None
    assert first.context.trace_id != second.context.trace_id


def test_answers_to_nothing_are_marked_and_pair_with_nothing(telemetry: Telemetry) -> None:
    """An error without an id, or with an unknown one, leaves every open call open."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(1, name="open"))
    text_exchange.received(channel, error(None, -32601))
    text_exchange.received(
        channel, '{"jsonrpc":"2.0","error":{"code":-32603,"message":"Unknown method"}}'
    )
    text_exchange.received(channel, result(99))

    assert telemetry.spans == []
    assert odd(telemetry) == [None, "orphan_answer", "orphan_answer", "orphan_answer"]


def test_closing_a_channel_ends_what_was_never_answered(telemetry: Telemetry) -> None:
    """A call that can no longer be answered is a failed span, not a missing one."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(1, name="lost"))
    text_exchange.closed(channel)

    span = telemetry.span("tools/call lost")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes[ERROR_TYPE] == ERROR_UNANSWERED


def test_a_notification_is_a_span_of_its_own(telemetry: Telemetry) -> None:
    """Notifications have no answer, so their span is over when they have crossed."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()
    text = '{"jsonrpc":"2.0","method":"notifications/initialized"}'

    sent = send(text_exchange, channel, text)
    text_exchange.received(channel, text)

    assert [span.kind for span in telemetry.spans] == [SpanKind.CLIENT, SpanKind.SERVER]
    assert "traceparent" in sent


def test_what_is_an_error_depends_on_the_side(telemetry: Telemetry) -> None:
    """A client that asked wrongly has failed; the server that told it so has not."""
    text_exchange, client, server = TextExchange(telemetry.exchange), pipes(), pipes()

    send(text_exchange, client, request(1, method="asked"))
    text_exchange.received(client, error(1, -32601))
    text_exchange.received(server, request(1, method="answered"))
    send(text_exchange, server, error(1, -32601))
    text_exchange.received(server, request(2, method="broke"))
    send(text_exchange, server, error(2, -32603))

    asked, answered, broke = (telemetry.span(name) for name in ("asked", "answered", "broke"))
    assert asked.status.status_code is StatusCode.ERROR
    assert answered.status.status_code is StatusCode.UNSET
    assert answered.attributes is not None
    assert answered.attributes[RPC_RESPONSE_STATUS_CODE] == "-32601"
    assert ERROR_TYPE not in answered.attributes
    assert broke.status.status_code is StatusCode.ERROR


def test_a_tool_that_fails_fails_its_span(telemetry: Telemetry) -> None:
    """`isError: true` is an error although the protocol's answer is a result."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(1, name="add"))
    text_exchange.received(channel, result(1, isError=True))

    span = telemetry.span("tools/call add")
    assert span.attributes is not None
    assert span.attributes[ERROR_TYPE] == "tool_error"


def test_methods_that_mcp_does_not_know_get_no_context(telemetry: Telemetry) -> None:
    """A server may pass all params of its own methods to a function, so they stay as they are."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()
    text = request(1, method="dewey_search", query="x")

    assert send(text_exchange, channel, text) == text


def test_a_secret_in_the_text_is_redacted_before_it_is_recorded(telemetry: Telemetry) -> None:
    """The record has the message without the secret; the wire has it with the secret."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    sent = send(
        text_exchange, channel, request(1, name="add", arguments={"api_key": "hunter2secret"})
    )

    assert "hunter2secret" in sent
    assert "hunter2secret" not in str(telemetry.bodies)
    assert len(telemetry.bodies) == 1


def test_text_that_was_never_jsonrpc_is_none_of_ours(telemetry: Telemetry) -> None:
    """A channel counts from its first JSON-RPC message; after it, odd text is recorded."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    text_exchange.received(channel, "hello")
    text_exchange.received(channel, request(1, method="ping"))
    text_exchange.received(channel, "hello again")

    assert telemetry.bodies[1:] == ["hello again"]
    assert odd(telemetry) == [None, "unparsable"]


def test_each_level_records_what_it_says(telemetry: Telemetry) -> None:
    """TRACE has texts, DEBUG has digests, INFO has spans only, WARN only what is odd."""
    text_exchange = TextExchange(telemetry.exchange)
    seen: dict[Level, tuple[int, int, int]] = {}
    for level in Level:
        telemetry.exchange.levels = Levels(level)
        spans, records = len(telemetry.spans), len(telemetry.records)
        channel = pipes()
        send(text_exchange, channel, request(1, name="add"))
        text_exchange.received(channel, result(1))
        text_exchange.received(channel, result(1))
        new = telemetry.records[records:]
        bodies = sum(record.log_record.body is not None for record in new)
        seen[level] = (len(telemetry.spans) - spans, len(new), bodies)

    assert seen == {
        Level.TRACE: (1, 3, 3),
        Level.DEBUG: (1, 3, 0),
        Level.INFO: (1, 1, 0),
        Level.WARN: (0, 1, 0),
        Level.ERROR: (0, 0, 0),
        Level.OFF: (0, 0, 0),
    }


def test_leaving_a_span_that_is_not_current_changes_nothing(telemetry: Telemetry) -> None:
    """An answer that another task sends does not take this task's span away."""
    text_exchange, one, other = TextExchange(telemetry.exchange), pipes(), pipes()
    text_exchange.received(one, request(1, name="one"))
    text_exchange.received(other, request(1, name="other"))

    send(text_exchange, one, result(1))
    send(text_exchange, pipes(), request(5, method="ping"))

    telemetry.exchange.close_all()
    assert telemetry.span("ping").parent == telemetry.span("tools/call other").context
    current_span.leave(telemetry.span("ping"))  # type: ignore[arg-type]  # any span will do
