"""Promises about the ids by which answers find their requests."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import StatusCode

from relayscope.conventions.attributes import ERROR_TYPE, ERROR_UNANSWERED, GEN_AI_TOOL_NAME
from relayscope.instrumentation import Direction, Level, Levels, Rule
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.message import id_text
from tests.fix_telemetry import Telemetry
from tests.instrumentation.jsonrpc import odd, pipes, request, result, send


def test_a_repeated_id_pairs_in_order_and_is_marked(telemetry: Telemetry) -> None:
    """Two open requests with one id are answered first in, first out."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(1, name="first"))
    send(text_exchange, channel, request(1, name="second"))
    text_exchange.received(channel, result(1, n=1))
    text_exchange.received(channel, result(1, n=2))

    assert [span.name for span in telemetry.spans] == ["tools/call first", "tools/call second"]
    assert odd(telemetry) == [None, "id_reused", "id_reused", None]


@pytest.mark.parametrize(
    ("asked", "answered"), [(35, "35"), ("35", 35), ("1.5", 1.5), (1.5, "1.5")]
)
def test_an_answer_with_an_id_of_another_type_answers_nothing(
    telemetry: Telemetry, asked: float | str, answered: float | str
) -> None:
    """It is odd and in the call's span; the call stays open until its own answer comes."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(asked, name="typed"))
    text_exchange.received(channel, result(answered))
    assert telemetry.spans == []
    text_exchange.received(channel, result(asked))

    span = telemetry.span("tools/call typed")
    assert span.context is not None
    assert odd(telemetry) == [None, "id_type", None]
    records = [record.log_record for record in telemetry.records]
    assert {record.span_id for record in records} == {span.context.span_id}
    assert [(each.attributes or {})[GEN_AI_TOOL_NAME] for each in records] == ["typed"] * 3


def test_a_call_that_only_an_id_of_another_type_has_answered_is_unanswered(
    telemetry: Telemetry,
) -> None:
    """Whichever side is looked at: the server has not answered, either."""
    for direction in ("client", "server"):
        text_exchange, channel = TextExchange(telemetry.exchange), pipes()
        if direction == "client":
            send(text_exchange, channel, request(35))
            text_exchange.received(channel, result("35"))
        else:
            text_exchange.received(channel, request("35"))
            send(text_exchange, channel, result(35))
        text_exchange.closed(channel)

    assert [(span.attributes or {})[ERROR_TYPE] for span in telemetry.spans] == [
        ERROR_UNANSWERED
    ] * 2
    assert odd(telemetry) == [None, "id_type"] * 2


def test_numbers_that_are_equal_are_one_id(telemetry: Telemetry) -> None:
    """JSON knows no difference between 1 and 1.0, nor does JSON-RPC."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(1))
    text_exchange.received(channel, '{"jsonrpc":"2.0","id":1.0,"result":{}}')

    assert [span.status.status_code for span in telemetry.spans] == [StatusCode.UNSET]
    assert odd(telemetry) == [None, None]


@pytest.mark.parametrize("identifier", ["true", "[1]", '{"n":1}'])
def test_what_is_no_id_is_marked_on_requests_and_answers(
    telemetry: Telemetry, identifier: str
) -> None:
    """JSON-RPC allows strings and numbers; `true` is not 1, though Python says so."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(1))
    text_exchange.received(channel, f'{{"jsonrpc":"2.0","id":{identifier},"result":{{}}}}')
    text_exchange.received(channel, f'{{"jsonrpc":"2.0","id":{identifier},"method":"ping"}}')

    assert odd(telemetry) == [None, "id_type", "id_type"]
    assert [span.name for span in telemetry.spans] == ["ping"]


def test_a_session_of_the_sdk_takes_a_string_for_its_number(telemetry: Telemetry) -> None:
    """It is odd all the same; but the call has its answer."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()
    channel.takes_strings = True

    send(text_exchange, channel, request(7))
    text_exchange.received(channel, result("7"))

    assert [span.status.status_code for span in telemetry.spans] == [StatusCode.UNSET]
    assert odd(telemetry) == [None, "id_type"]


@given(
    st.one_of(
        st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=100)
    )
)
def test_the_text_of_an_id_tells_which_id_it_is(identifier: float | str) -> None:
    """A number is as JSON spells it; a string that could be taken for one is in quotes."""
    text = id_text(identifier)

    try:
        read = json.loads(text)
    except ValueError:
        read = text
    is_typed = isinstance(read, str | int | float) and not isinstance(read, bool)
    assert (read if is_typed else text) == identifier


def test_the_same_id_on_two_channels_is_two_calls(telemetry: Telemetry) -> None:
    """Pairing never crosses from one connection to another."""
    text_exchange, one, other = TextExchange(telemetry.exchange), pipes(), pipes()

    send(text_exchange, one, request(3, name="one"))
    send(text_exchange, other, request(3, name="other"))
    text_exchange.received(other, result(3))

    assert [span.name for span in telemetry.spans] == ["tools/call other"]


def test_late_answers_to_calls_with_one_id_find_them_in_their_order(telemetry: Telemetry) -> None:
    """A relay that puts several clients on one pipe has open calls with one id."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()
    names = ["first", "second", "third"]

    for name in names:
        send(text_exchange, channel, request(1, name=name))
    for _ in names:
        channel.sent.give_up(1)
    for number in range(4):
        text_exchange.received(channel, result(1, n=number))

    late = [record.log_record.attributes or {} for record in telemetry.records[3:]]
    assert [each.get(GEN_AI_TOOL_NAME) for each in late] == [*names, None]
    assert odd(telemetry)[3:] == ["late_answer"] * 3 + ["orphan_answer"]


def test_of_two_requests_with_one_id_that_which_is_worked_for_is_answered(
    telemetry: Telemetry,
) -> None:
    """A server whose clients share a pipe answers the quick one first, in the task that has it."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    async def work(name: str, seconds: float) -> None:
        text_exchange.received(channel, request(3, name=name))
        await asyncio.sleep(seconds)
        send(text_exchange, channel, result(3, name=name))

    async def serve() -> None:
        await asyncio.gather(work("slow", 0.05), work("quick", 0.01))

    asyncio.run(serve())

    assert [span.name for span in telemetry.spans] == ["tools/call quick", "tools/call slow"]
    answers = [record.log_record for record in telemetry.records[2:]]
    spans = {each.name: each.context.span_id for each in telemetry.spans if each.context}
    assert [each.span_id for each in answers] == [
        spans["tools/call quick"],
        spans["tools/call slow"],
    ]


def test_a_call_whose_answer_nobody_looked_at_confuses_none_after_it(telemetry: Telemetry) -> None:
    """Everything was off when it was answered, and its client uses one id for all of its calls."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()

    send(text_exchange, channel, request(3, name="before"))
    telemetry.exchange.levels = Levels(Level.OFF)
    text_exchange.received(channel, result(3))
    telemetry.exchange.levels = Levels()
    for name in ("after", "later"):
        send(text_exchange, channel, request(3, name=name))
        text_exchange.received(channel, result(3))

    assert odd(telemetry) == [None] * 5
    assert [span.name for span in telemetry.spans] == [
        "tools/call before",
        "tools/call after",
        "tools/call later",
    ]
    assert {span.status.status_code for span in telemetry.spans} == {StatusCode.UNSET}


def test_a_call_that_nobody_looks_at_the_answer_of_is_no_failure(telemetry: Telemetry) -> None:
    """When its channel closes, its span says that it was made, and no more."""
    text_exchange, channel = TextExchange(telemetry.exchange), pipes()
    received_alone = Rule(Level.OFF, direction=Direction.RECEIVED)
    telemetry.exchange.levels = Levels(Level.TRACE, (received_alone,))

    for identifier in (1, 1, 2):
        send(text_exchange, channel, request(identifier))
        text_exchange.received(channel, result(identifier))
    text_exchange.closed(channel)

    assert odd(telemetry) == [None] * 3
    assert [span.status.status_code for span in telemetry.spans] == [StatusCode.UNSET] * 3
