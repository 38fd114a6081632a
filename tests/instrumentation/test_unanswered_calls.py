"""Promises about calls without an answer: when they are over, and how that is known."""

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from relayscope.conventions.attributes import (
    ERROR_ANSWERED_ABOVE,
    ERROR_CANCELLED,
    ERROR_STOPPED_READING,
    ERROR_TYPE,
    ERROR_UNANSWERED,
)
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry
from tests.instrumentation.jsonrpc import error, odd, request, result, send

ANSWERED = {"result": result(1), "error": error(1, -32000), "tool error": result(1, isError=True)}


def pipes(peer: str = "peer") -> Channel:
    """Return a new channel."""
    return Channel.of_pipes(peer)


def error_type(span: ReadableSpan) -> Any:
    """Return what went wrong."""
    return (span.attributes or {}).get(ERROR_TYPE)


def stop_reading(text_exchange: TextExchange, channel: Channel) -> int:
    """Cancel a read as a hook tells of it; return when."""
    text_exchange.stopped_reading(channel)
    (open_call,) = channel.sent
    assert open_call.left is not None
    return open_call.left.time


@pytest.mark.parametrize("answered", ["error", "tool error"])
def test_a_call_is_over_when_the_request_above_it_is_answered_with_an_error(
    telemetry: Telemetry, answered: str
) -> None:
    """An answer after that is late, and the call has the time that it was waited for."""
    text_exchange, client, backend = (
        TextExchange(telemetry.exchange),
        pipes("client"),
        pipes("backend"),
    )

    text_exchange.received(client, request(1, name="served"))
    send(text_exchange, backend, request(3, name="made"))
    send(text_exchange, client, ANSWERED[answered])
    text_exchange.received(backend, result(3))

    span, above = telemetry.span("tools/call made"), telemetry.span("tools/call served")
    assert error_type(span) == ERROR_ANSWERED_ABOVE
    assert span.end_time is not None
    assert above.end_time is not None
    assert span.end_time <= above.end_time
    assert odd(telemetry) == [None, None, None, "late_answer"]


def test_a_request_above_that_is_answered_well_leaves_its_calls_open(telemetry: Telemetry) -> None:
    """Such calls may go on; one that is never answered ended with the request above."""
    text_exchange, client, backend = (
        TextExchange(telemetry.exchange),
        pipes("client"),
        pipes("backend"),
    )

    text_exchange.received(client, request(1, name="served"))
    send(text_exchange, backend, request(3, name="answered"))
    send(text_exchange, backend, request(4, name="never"))
    send(text_exchange, client, ANSWERED["result"])
    text_exchange.received(backend, result(3))
    text_exchange.closed(backend)

    assert error_type(telemetry.span("tools/call answered")) is None
    never, above = telemetry.span("tools/call never"), telemetry.span("tools/call served")
    assert error_type(never) == ERROR_ANSWERED_ABOVE
    assert never.end_time is not None
    assert above.end_time is not None
    assert never.end_time <= above.end_time
    assert odd(telemetry) == [None] * 5


def test_a_call_is_over_when_its_read_is_cancelled_and_the_next_request_is_sent(
    telemetry: Telemetry,
) -> None:
    """It has ended when the read did; one that comes later does not answer the next."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(1, name="given-up"))
    left = stop_reading(text_exchange, channel)
    send(text_exchange, channel, request(2, name="next"))
    text_exchange.received(channel, result(1))
    text_exchange.received(channel, result(2))

    span = telemetry.span("tools/call given-up")
    assert error_type(span) == ERROR_STOPPED_READING
    assert span.end_time == left
    assert error_type(telemetry.span("tools/call next")) is None
    assert odd(telemetry) == [None, None, "late_answer", None]


def test_a_client_that_always_uses_one_id_has_its_answers_in_order(telemetry: Telemetry) -> None:
    """An answer that never came does not shift all that come after it."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(3, name="swallowed"))
    stop_reading(text_exchange, channel)
    send(text_exchange, channel, request(3, name="next"))
    text_exchange.received(channel, result(3))

    assert error_type(telemetry.span("tools/call swallowed")) == ERROR_STOPPED_READING
    assert error_type(telemetry.span("tools/call next")) is None
    assert odd(telemetry) == [None, None, None]


@pytest.mark.parametrize("meanwhile", ["reads again", "pings"])
def test_a_read_that_is_tried_again_gives_nothing_up(telemetry: Telemetry, meanwhile: str) -> None:
    """As programs do that look up from reading now and then, and from other tasks."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(1, name="patient"))
    stop_reading(text_exchange, channel)
    if meanwhile == "reads again":
        channel.reader_left = False
        send(text_exchange, channel, request(2, name="other"))
    else:
        send(text_exchange, channel, request(2, "ping"))
    text_exchange.received(channel, result(1))

    assert error_type(telemetry.span("tools/call patient")) is None
    assert odd(telemetry) == [None] * 3


def test_a_call_that_nobody_reads_the_answer_of_ends_with_that_read(telemetry: Telemetry) -> None:
    """Though its channel stays open for long."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(1, name="last"))
    left = stop_reading(text_exchange, channel)
    text_exchange.closed(channel)

    span = telemetry.span("tools/call last")
    assert (error_type(span), span.end_time) == (ERROR_STOPPED_READING, left)


def test_what_a_cancelled_request_had_called_ends_with_it(telemetry: Telemetry) -> None:
    """The relay may answer no more, and its backend never."""
    text_exchange, client, backend = (
        TextExchange(telemetry.exchange),
        pipes("client"),
        pipes("backend"),
    )
    cancel = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}'

    text_exchange.received(client, request(1, name="cancelled"))
    send(text_exchange, backend, request(3, name="below"))
    text_exchange.received(client, cancel)
    text_exchange.closed(backend)

    above, below = telemetry.span("tools/call cancelled"), telemetry.span("tools/call below")
    assert (error_type(above), error_type(below)) == (ERROR_CANCELLED, ERROR_CANCELLED)
    assert below.end_time == above.end_time


def test_what_was_called_for_who_has_gone_was_not_answered_above(telemetry: Telemetry) -> None:
    """It ended when the client's connection did: nobody has answered the client."""
    text_exchange, client, backend = (
        TextExchange(telemetry.exchange),
        pipes("client"),
        pipes("backend"),
    )

    text_exchange.received(client, request(1, name="served"))
    send(text_exchange, backend, request(3, name="below"))
    text_exchange.closed(client)
    text_exchange.closed(backend)

    above, below = telemetry.span("tools/call served"), telemetry.span("tools/call below")
    assert (error_type(above), error_type(below)) == (ERROR_UNANSWERED, ERROR_UNANSWERED)
    assert below.end_time == above.end_time


def test_a_cancellation_with_an_id_of_another_type_cancels_nothing(telemetry: Telemetry) -> None:
    """Nor does `true` cancel 1."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()
    cancel = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}'

    send(text_exchange, channel, request(1, name="open"))
    send(text_exchange, channel, cancel % '"1"')
    send(text_exchange, channel, cancel % "true")
    text_exchange.received(channel, result(1))

    assert error_type(telemetry.span("tools/call open")) is None
    assert odd(telemetry) == [None, "id_type", None, None]


def test_nothing_is_remembered_of_calls_that_are_over(telemetry: Telemetry) -> None:
    """However they end."""
    text_exchange, client, backend = (
        TextExchange(telemetry.exchange),
        pipes("client"),
        pipes("backend"),
    )
    for number in range(20):
        text_exchange.received(client, request(1))
        send(text_exchange, backend, request(number))
        if number % 2:
            text_exchange.received(backend, result(number))
        send(text_exchange, client, ANSWERED["error" if number % 3 else "result"])
    text_exchange.closed(backend)

    assert telemetry.exchange._unanswered.below == {}  # noqa: SLF001  # memory shows nowhere else
