"""Problems of records that were dropped, and of calls whose answers were."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from relayscope.conventions.attributes import (
    CHANNEL_EXIT_SIGNAL,
    CHANNEL_ID,
    DELIVERY_ACKNOWLEDGED,
    DELIVERY_DROPPED,
    DELIVERY_EMITTED,
    DELIVERY_GONE,
    DELIVERY_SEQUENCE,
    ERROR_TYPE,
)
from relayscope.conventions.events import EVENT_CHANNEL_CLOSED, EVENT_DELIVERY
from relayscope.storage import Row, Writer, rows
from tests.collector.reading.problems import asked, call, printed, problems, told
from tests.storage.samples import batch, log

if TYPE_CHECKING:
    from sqlalchemy import Engine


def account(*, seconds_ago: float, emitted: int, acknowledged: int, **dropped: int) -> Row:
    """The account of a process: what it says of its records."""
    attributes = {
        DELIVERY_EMITTED: emitted,
        DELIVERY_ACKNOWLEDGED: acknowledged,
        DELIVERY_DROPPED: dropped,
    }
    at = time.time_ns() - round(seconds_ago * 1e9)
    return log(
        at=at, event_name=EVENT_DELIVERY, severity_number=0, trace_id=None,
        attributes=rows.jsonb(attributes),
    )  # fmt: skip


def numbered(*, seconds_ago: float) -> Row:
    """The first record of a process."""
    at = time.time_ns() - round(seconds_ago * 1e9)
    attributes = rows.jsonb({DELIVERY_SEQUENCE: 1})
    return log(at=at, event_name="", trace_id=None, attributes=attributes)


def test_what_a_process_had_to_drop_is_told_and_why(database_url: str, engine: Engine) -> None:
    """Its last word counts, also of a process of which nothing else has come."""
    first = account(seconds_ago=20, emitted=60, acknowledged=6, full=50)
    last = account(seconds_ago=10, emitted=148, acknowledged=6, full=100)
    writer = Writer(engine)
    writer.write([batch(logs=[first, last])])
    writer.close()
    shown = problems(database_url)
    assert "had to drop 100 records of process relay: its spool was full" in shown
    assert "had to drop 50" not in shown
    assert "lacks 142 records of process relay, and says of 100 why" in shown


def test_a_call_whose_answer_may_have_been_dropped_is_not_told_as_unanswered(
    database_url: str, engine: Engine
) -> None:
    """The loss comes first; what is open after the last loss is known to have no answer."""
    lost = asked(seconds_ago=60, by=b"relay..1", direction="received")
    dropped = account(seconds_ago=50, emitted=9, acknowledged=8, full=1)
    writer = Writer(engine)
    writer.write([batch(logs=[lost, dropped])])
    assert told(database_url) == [("relay", "undelivered"), ("relay", "unrecorded")]
    assert "its process had to drop records" in problems(database_url)
    same = account(seconds_ago=20, emitted=19, acknowledged=18, full=1)
    later = asked(seconds_ago=40, by=b"relay..2", direction="received", trace_id=bytes(15) + b"2")
    writer.write([batch(logs=[later, same])])
    writer.close()
    kinds = [kind for _, kind in told(database_url)]
    assert kinds == ["unanswered", "undelivered", "unrecorded"]


def test_a_loss_below_does_not_hide_that_nothing_was_answered(
    database_url: str, engine: Engine
) -> None:
    """The relay knows that it got no answer; what the backend did is not known."""
    failed = call({ERROR_TYPE: "timeout"}, by=b"relay..1", kind=3)
    writer = Writer(engine)
    writer.write(
        [
            batch(spans=[failed], logs=[asked(seconds_ago=60, by=b"relay..1", direction="sent")]),
            batch(
                service="backend",
                logs=[
                    asked(seconds_ago=60, by=b"backend1", direction="received"),
                    account(seconds_ago=50, emitted=9, acknowledged=8, full=1),
                ],
            ),
        ]
    )
    writer.close()
    assert ("relay", "unanswered") in told(database_url)


def test_a_child_that_its_parent_has_seen_ending_is_not_silent(
    database_url: str, engine: Engine
) -> None:
    """It was killed, and could not say so itself; another that is only not heard is silent."""
    sent = asked(seconds_ago=601, by=b"relay..1", direction="sent", channel="c1")
    last = numbered(seconds_ago=600)
    heard = [asked(seconds_ago=601, by=b"backend1", direction="received"), last]
    writer = Writer(engine)
    writer.write([batch(service="backend", logs=heard), batch(logs=[sent])])
    assert "backend has not been heard since" in problems(database_url)
    ended = {CHANNEL_ID: "c1", CHANNEL_EXIT_SIGNAL: "SIGTERM"}
    closing = log(
        at=time.time_ns() - 599 * 10**9, event_name=EVENT_CHANNEL_CLOSED, trace_id=None,
        severity_number=13, attributes=rows.jsonb(ended),
    )  # fmt: skip
    writer.write([batch(logs=[closing])])
    writer.close()
    assert "backend has not been heard since" not in problems(database_url)


def test_a_process_that_a_signal_has_ended_is_not_silent(database_url: str, engine: Engine) -> None:
    """Its forwarder says that it is gone; that this came later does not make it the newest one."""
    told_later = log(
        at=time.time_ns(), event_name=EVENT_DELIVERY, severity_number=0, trace_id=None,
        attributes=rows.jsonb({DELIVERY_EMITTED: 1, DELIVERY_GONE: True}),
    )  # fmt: skip
    writer = Writer(engine)
    writer.write([batch(logs=[numbered(seconds_ago=700)], process="old")])
    assert "relay has not been heard since" in problems(database_url)
    writer.write([batch(logs=[told_later], process="old")])
    assert "relay has not been heard since" not in problems(database_url)
    writer.write([batch(logs=[numbered(seconds_ago=600)], process="new")])
    writer.close()
    assert "relay has not been heard since" in problems(database_url)


def test_where_messages_are_missing_stands_only_who_lacks_some(
    database_url: str, engine: Engine
) -> None:
    """A process that still runs may lack some, and does not yet; for programs it has a row."""
    numbers = {"lacks": (1, 3), "complete": (1, 2)}
    writer = Writer(engine)
    for service, taken in numbers.items():
        records = [log(attributes=rows.jsonb({DELIVERY_SEQUENCE: number})) for number in taken]
        writer.write([batch(service=service, logs=records)])
    writer.close()
    shown = printed("stats", database_url).partition("# messages that are missing")[2]
    assert "lacks" in shown
    assert "complete" not in shown
    of_all = map(json.loads, printed("stats", database_url, "--json").splitlines())
    assert {one["component"] for one in of_all if one["view"] == "delivery"} == set(numbers)
