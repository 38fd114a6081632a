"""Promises about the trace of a batch."""

import json

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from relayscope.instrumentation.text_exchange import TextExchange
from tests.fix_telemetry import Telemetry
from tests.instrumentation.jsonrpc import pipes, request, result, send

BATCH = f"[{request(1, name='a')}, {request(2, name='b')}]"
ANSWERS = f"[{result(2)}, {result(1)}]"


def context_of(span: ReadableSpan) -> SpanContext:
    """The ids of a span."""
    return span.context or INVALID_SPAN_CONTEXT


def test_a_batch_that_is_sent_is_one_trace(telemetry: Telemetry) -> None:
    """Its calls are below it, and its record and that of the answers are in their trace."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()
    send(text_exchange, channel, BATCH)
    text_exchange.received(channel, ANSWERS)

    batch = context_of(telemetry.span("batch"))
    for name in ("tools/call a", "tools/call b"):
        parent = telemetry.span(name).parent
        assert parent is not None
        assert (parent.trace_id, parent.span_id) == (batch.trace_id, batch.span_id)
    assert [record.log_record.trace_id for record in telemetry.records] == [batch.trace_id] * 2
    assert telemetry.records[0].log_record.span_id == batch.span_id


def test_a_batch_that_is_received_is_one_trace(telemetry: Telemetry) -> None:
    """Answers go one by one, as some servers send them: they are in it all the same."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()
    text_exchange.received(channel, BATCH)
    send(text_exchange, channel, result(1))
    send(text_exchange, channel, result(2))

    batch = context_of(telemetry.span("batch"))
    assert {record.log_record.trace_id for record in telemetry.records} == {batch.trace_id}


def test_who_says_its_own_parent_in_a_batch_keeps_it(telemetry: Telemetry) -> None:
    """A sender that traces by itself carries context in each request."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()
    parents = [f"00-{'a' * 32}-{'1' * 16}-01", f"00-{'a' * 32}-{'2' * 16}-01"]
    asked = [
        json.loads(request(number, "ping", _meta={"traceparent": parent}))
        for number, parent in enumerate(parents)
    ]
    text_exchange.received(channel, json.dumps(asked))
    send(text_exchange, channel, f"[{result(0)}, {result(1)}]")

    batch = telemetry.span("batch")
    above = [span.parent.span_id for span in telemetry.spans if span.parent is not None]
    assert sorted(above) == sorted(
        [int("1" * 16, 16), int("2" * 16, 16), context_of(batch).span_id]
    )


def test_a_batch_of_notifications_ends_with_itself(telemetry: Telemetry) -> None:
    """Nothing is waited for."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()
    note = '{"jsonrpc": "2.0", "method": "notifications/initialized"}'
    send(text_exchange, channel, f"[{note}]")

    assert sorted(span.name for span in telemetry.spans) == ["batch", "notifications/initialized"]
