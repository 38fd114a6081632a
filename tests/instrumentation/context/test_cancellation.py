"""Promises about the trace in which a cancellation is found."""

import json
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from relayscope.instrumentation.context import current_span
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry
from tests.instrumentation.jsonrpc import request, result, send


def cancel(identifier: Any, **meta: str) -> str:
    """Return a cancellation."""
    params = {"requestId": identifier} | ({"_meta": meta} if meta else {})
    return json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})


def parent_id(span: ReadableSpan) -> int | None:
    """Return the span that a span is below."""
    return span.parent and span.parent.span_id


def span_id(span: ReadableSpan) -> int:
    """Return a span's own id."""
    identifier: int = span.context.span_id
    return identifier


def test_a_cancellation_is_in_the_trace_of_what_it_cancels(telemetry: Telemetry) -> None:
    """A client's timer, which works for no request, sends it."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")

    send(text_exchange, channel, request(1, name="slow"))
    sent = json.loads(send(text_exchange, channel, cancel(1)))

    call, cancellation = telemetry.span("tools/call slow"), telemetry.span(CANCELLED)
    assert parent_id(cancellation) == span_id(call)
    assert format(span_id(cancellation), "016x") in sent["params"]["_meta"]["traceparent"]


def test_a_task_of_an_earlier_request_cancels_in_the_trace_of_the_later(
    telemetry: Telemetry,
) -> None:
    """A session's task keeps the context of the request for which it was started."""
    text_exchange = TextExchange(telemetry.exchange)
    client, backend = Channel.of_pipes("client"), Channel.of_pipes("backend")

    text_exchange.received(client, request(1, name="earlier"))
    stale = current_span.current()[1].get_span_context()
    send(text_exchange, backend, request(1, name="later", _meta={"traceparent": LATER}))
    traceparent = f"00-{stale.trace_id:032x}-{stale.span_id:016x}-01"
    send(text_exchange, backend, cancel(1, traceparent=traceparent))

    later, cancellation = telemetry.span("tools/call later"), telemetry.span(CANCELLED)
    assert parent_id(cancellation) == span_id(later)


def test_a_cancellation_of_a_client_without_context_is_below_the_call(
    telemetry: Telemetry,
) -> None:
    """And what the relay makes of it is below that."""
    text_exchange = TextExchange(telemetry.exchange)
    client, backend = Channel.of_pipes("client"), Channel.of_pipes("backend")

    text_exchange.received(client, request(7, name="asked"))
    send(text_exchange, backend, request(1, name="made"))
    text_exchange.received(client, cancel(7))
    send(text_exchange, backend, cancel(1))

    asked = telemetry.span("tools/call asked")
    came, sent = (span for span in telemetry.spans if span.name == CANCELLED)
    assert parent_id(came) == span_id(asked)
    assert {came.context.trace_id, sent.context.trace_id} == {asked.context.trace_id}


def test_a_cancellation_after_the_call_was_given_up_is_below_it_too(telemetry: Telemetry) -> None:
    """It was left first, and was said to be cancelled then."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")

    send(text_exchange, channel, request(1, name="left"))
    send(text_exchange, channel, cancel(1))
    send(text_exchange, channel, cancel(1))

    call = telemetry.span("tools/call left")
    cancellations = [span for span in telemetry.spans if span.name == CANCELLED]
    assert [parent_id(span) for span in cancellations] == [span_id(call)] * 2


def test_what_the_host_says_by_itself_about_a_cancellation_holds(telemetry: Telemetry) -> None:
    """Its own tracing has put it there, and the peer reads it."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")

    send(text_exchange, channel, request(1, name="slow"))
    send(text_exchange, channel, cancel(1, traceparent=LATER))
    text_exchange.received(channel, request(2, name="came"))
    text_exchange.received(channel, cancel(2, traceparent=LATER))

    cancellations = [span for span in telemetry.spans if span.name == CANCELLED]
    assert [parent_id(span) for span in cancellations] == [int(LATER[36:52], 16)] * 2


@pytest.mark.parametrize("identifier", [2, "1", True, None, [1], {"a": 1}, 1e300, "1" * 100_000])
def test_a_cancellation_of_nothing_known_is_a_trace_of_its_own(
    telemetry: Telemetry, identifier: Any
) -> None:
    """Whatever its id is; nor of a call that is over."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("peer")

    send(text_exchange, channel, request(1, name="open"))
    send(text_exchange, channel, request(2, name="over"))
    text_exchange.received(channel, result(2))
    send(text_exchange, channel, cancel(identifier))

    assert parent_id(telemetry.span(CANCELLED)) is None


CANCELLED = "notifications/cancelled"
LATER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
