"""Problems of records that were dropped, and of calls whose answers were."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from relayscope.conventions.attributes import (
    DELIVERY_ACKNOWLEDGED,
    DELIVERY_DROPPED,
    DELIVERY_EMITTED,
    ERROR_TYPE,
)
from relayscope.conventions.events import EVENT_DELIVERY
from relayscope.storage import Row, Writer, rows
from tests.collector.reading.problems import asked, call, problems, told
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
