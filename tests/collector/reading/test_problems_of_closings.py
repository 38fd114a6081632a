"""Calls without an answer, told with how the connection ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from relayscope.conventions.attributes import (
    CHANNEL_CLOSE_CODE,
    CHANNEL_CLOSE_REASON,
    CHANNEL_EXIT_SIGNAL,
    CHANNEL_ID,
    ERROR_ANSWERED_ABOVE,
    ERROR_STOPPED_READING,
    ERROR_TYPE,
    ERROR_UNANSWERED,
    PROCESS_EXIT_CODE,
)
from relayscope.conventions.events import EVENT_CHANNEL_CLOSED
from relayscope.storage import Row, Writer, rows
from tests.collector.reading.problems import asked, call, problems, told
from tests.storage.samples import batch, log

if TYPE_CHECKING:
    from sqlalchemy import Engine


def closed(said: dict[str, str | int], *, seconds_ago: float, channel: str = "c1") -> Row:
    """The record of a channel's closing, which is in no trace."""
    at = time.time_ns() - round(seconds_ago * 1e9)
    return log(
        "closed: stdio python backend.py; 1 sent", at=at, trace_id=None, span_id=None,
        event_name=EVENT_CHANNEL_CLOSED, severity_number=13,
        attributes=rows.jsonb({CHANNEL_ID: channel, **said}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({PROCESS_EXIT_CODE: 139}, "the child ended with exit code 139"),
        ({CHANNEL_EXIT_SIGNAL: "SIGSEGV"}, "the child was killed by SIGSEGV"),
        (
            {CHANNEL_CLOSE_CODE: 1009, CHANNEL_CLOSE_REASON: "frame exceeds limit"},
            "the connection was closed with 1009: frame exceeds limit",
        ),
        ({CHANNEL_CLOSE_CODE: 1006}, "the connection broke off without a close frame"),
    ],
)
def test_a_call_whose_connection_closed_says_how_it_did(
    database_url: str, engine: Engine, said: dict[str, str | int], words: str
) -> None:
    """The record of that is found by the connection that the request went on."""
    made = call({ERROR_TYPE: ERROR_UNANSWERED}, by=b"relay..1", kind=3)
    request = asked(seconds_ago=60, by=b"relay..1", direction="sent", channel="c1")
    writer = Writer(engine)
    other = closed({PROCESS_EXIT_CODE: 7}, seconds_ago=59, channel="c2")
    writer.write([batch(spans=[made], logs=[request, other, closed(said, seconds_ago=58)])])
    writer.close()
    assert told(database_url) == [("relay", "unanswered")]
    shown = problems(database_url)
    assert words in shown
    assert "exit code 7" not in shown


def test_a_backend_that_died_in_a_call_is_told_with_what_its_parent_saw(
    database_url: str, engine: Engine
) -> None:
    """It cannot say itself how it ended; whoever had sent it the request can."""
    made = call({ERROR_TYPE: ERROR_UNANSWERED}, by=b"relay..1", kind=3)
    request = asked(seconds_ago=60, by=b"relay..1", direction="sent", channel="c1")
    served = asked(seconds_ago=60, by=b"backend1", direction="received", channel="c9")
    writer = Writer(engine)
    ended = closed({PROCESS_EXIT_CODE: 139}, seconds_ago=59)
    writer.write([batch(spans=[made], logs=[request, ended])])
    writer.write([batch(service="backend", logs=[served])])
    writer.close()
    assert told(database_url) == [("backend", "unanswered")]
    assert "the child ended with exit code 139" in problems(database_url)


def test_the_end_that_has_seen_a_close_frame_says_how_it_closed(
    database_url: str, engine: Engine
) -> None:
    """Also where the other end was told first that the connection is gone."""
    made = call({ERROR_TYPE: ERROR_UNANSWERED}, by=b"relay..1", kind=3)
    request = asked(seconds_ago=60, by=b"relay..1", direction="sent", channel="c1")
    served = asked(seconds_ago=60, by=b"backend1", direction="received", channel="c9")
    broken = closed({CHANNEL_CLOSE_CODE: 1006}, seconds_ago=59)
    told_why = closed({CHANNEL_CLOSE_CODE: 1009}, seconds_ago=58, channel="c9")
    answered = call({}, by=b"backend1", kind=2, parent=b"relay..1")
    writer = Writer(engine)
    writer.write([batch(spans=[made], logs=[request, broken])])
    writer.write([batch(service="backend", spans=[answered], logs=[served, told_why])])
    writer.close()
    shown = problems(database_url)
    assert "relay got no answer from backend" in shown
    assert "the connection was closed with 1009" in shown


@pytest.mark.parametrize("why", [ERROR_STOPPED_READING, ERROR_ANSWERED_ABOVE])
def test_what_was_given_up_is_not_told_with_a_later_closing(
    database_url: str, engine: Engine, why: str
) -> None:
    """The relay ends its children in the end; that is not why there was no answer."""
    made = call({ERROR_TYPE: why}, by=b"relay..1", kind=3)
    request = asked(seconds_ago=60, by=b"relay..1", direction="sent", channel="c1")
    writer = Writer(engine)
    ended = closed({CHANNEL_EXIT_SIGNAL: "SIGTERM"}, seconds_ago=59)
    writer.write([batch(spans=[made], logs=[request, ended])])
    writer.close()
    assert told(database_url) == [("relay", "unanswered")]
    assert "SIGTERM" not in problems(database_url)
