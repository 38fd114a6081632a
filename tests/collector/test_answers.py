"""Rows of the views for calls without an answer, and for texts that are no JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, LiteralString

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from sqlalchemy import Engine, text

from relayscope.conventions.attributes import (
    ERROR_ANSWERED_ABOVE,
    ERROR_CROWDED_OUT,
    ERROR_STOPPED_READING,
    ERROR_UNANSWERED,
    JSONRPC_REQUEST_ID,
    MESSAGE_ODD,
)
from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from tests.fix_collector import Collector

START = 1_795_000_000 * SECOND
REQUEST = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add"}}'
ANSWER = '{"jsonrpc":"2.0","id":7,"result":{}}'
NO_ANSWER = (
    ERROR_UNANSWERED,
    ERROR_STOPPED_READING,
    ERROR_CROWDED_OUT,
    "cancelled",
    "timeout",
    "ConnectionResetError",
)


def rows(engine: Engine, statement: LiteralString) -> list[dict[str, Any]]:
    """All rows of a statement."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(statement)).mappings()]


@pytest.mark.parametrize(
    ("body", "identifier"),
    [(ANSWER, 7), ("WARN started", None), ('{"jsonrpc":"2.0","id":7,"resu', None), ("", None)],
)
def test_the_text_of_a_message_is_json_or_null(
    emptied_collector: Collector, shared_engine: Engine, body: str, identifier: int | None
) -> None:
    """A line that is no JSON makes no question about the others fail."""
    send(
        emptied_collector,
        "relay",
        [call(1, 1, START)],
        [
            message(1, 1, START, "request", REQUEST),
            message(1, 1, START + 9, "result", body, sequence=2),
        ],
    )

    found = rows(shared_engine, "select body, json -> 'id' as id from messages order by time")
    (made,) = rows(
        shared_engine, "select request_json -> 'params' ->> 'name' as tool, answer_json from calls"
    )

    assert [row["id"] for row in found] == [7, identifier]
    assert made["tool"] == "add"
    assert (made["answer_json"] is None) is (identifier is None)


@pytest.mark.parametrize("apart", [0, 59, 61, 7200, 3 * 86_400])
def test_a_request_and_its_span_are_one_call(
    emptied_collector: Collector, shared_engine: Engine, apart: int
) -> None:
    """Their times may lie days apart, if a clock was set; a request without a span is one too."""
    send(
        emptied_collector,
        "relay",
        [call(1, 1, START + apart * SECOND), call(2, 1, START - apart * SECOND)],
        [message(trace, 1, START, "request", REQUEST, sequence=trace) for trace in (1, 2, 3)],
    )

    made = rows(shared_engine, "select request, outcome from calls order by trace_id")

    assert [(row["request"], row["outcome"]) for row in made] == [
        (REQUEST, "ok"),
        (REQUEST, "ok"),
        (REQUEST, "unanswered"),
    ]


def test_calls_without_an_answer_are_in_no_percentile(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """They have no duration but a time waited, and are counted by themselves."""
    lost = [
        call(number, 1, START, 1000, error_type=error_type)
        for number, error_type in enumerate(NO_ANSWER, 1)
    ]
    send(emptied_collector, "relay", [*lost, call(100, 1, START, 1), call(101, 1, START, 3)], [])

    (counted,) = rows(shared_engine, "select * from service_calls")
    made = rows(shared_engine, "select outcome, duration, waited from calls order by duration")

    assert (counted["calls"], counted["failed"], counted["unanswered"]) == (8, 6, 6)
    assert counted["longest"] == timedelta(seconds=3)
    assert counted["p50"] == counted["mean"] == timedelta(seconds=2)
    assert [row["duration"] for row in made[:2]] == [timedelta(seconds=1), timedelta(seconds=3)]
    assert {(row["duration"], row["waited"]) for row in made[2:]} == {
        (None, timedelta(seconds=1000))
    }
    assert {row["outcome"] for row in made[2:]} == {"unanswered", "transport_error"}


@pytest.mark.parametrize(
    ("seconds", "error_type", "overhead"),
    [(1.0, None, 1.0), (1.0, ERROR_ANSWERED_ABOVE, None), (9.0, None, None)],
)
def test_the_overhead_of_a_relay_is_never_negative(
    emptied_collector: Collector,
    shared_engine: Engine,
    seconds: float,
    error_type: str | None,
    overhead: float | None,
) -> None:
    """There is none where the relay's own call has no answer, or came after the relay's answer."""
    served = call(1, 1, START, 2, kind=Span.SPAN_KIND_SERVER)
    parent = (1).to_bytes(8, "big")
    asked = call(1, 2, START, seconds, error_type=error_type, parent_span_id=parent)
    send(emptied_collector, "relay", [served, asked], [])

    (leg,) = rows(shared_engine, "select duration, overhead, outcome from legs")

    expected = None if overhead is None else timedelta(seconds=overhead)
    assert leg["overhead"] == expected
    assert (leg["duration"] is None) is (leg["outcome"] == "unanswered")


def test_a_call_shows_the_answer_that_was_none(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """An answer with an id of another type leaves its call unanswered, and both are shown."""
    odd = ANSWER.replace("7", '"7"')
    extra = {MESSAGE_ODD: "id_type", JSONRPC_REQUEST_ID: '"7"'}
    for trace, spans in (
        (1, [call(1, 1, START, 9, error_type=ERROR_UNANSWERED)]),
        (2, []),
    ):
        send(
            emptied_collector,
            "relay",
            spans,
            [
                message(trace, 1, START, "request", REQUEST),
                message(trace, 1, START + SECOND, "result", odd, sequence=2, extra=extra),
            ],
        )

    made = rows(shared_engine, "select outcome, odd, answer from calls")

    assert made == [{"outcome": "unanswered", "odd": "id_type", "answer": odd}] * 2
    (answered,) = rows(
        shared_engine, "select distinct request_id from messages where kind = 'result'"
    )
    assert answered["request_id"] == '"7"'
