"""The exchange between parties is found in the records of both, by one clock."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from relayscope.collector.page.trace.clocks import corrections
from relayscope.collector.page.trace.crossings import Party, crossings
from relayscope.collector.page.trace.exchange import Exchange
from relayscope.collector.page.trace.places import Places
from relayscope.collector.page.trace.steps import Note, Signal
from relayscope.collector.query.records import Message
from relayscope.collector.query.trace_tree import build
from tests.collector.page.traces import relayed, traces, with_clock
from tests.collector.reading import samples
from tests.collector.reading.samples import TRACE_ID, message, span

if TYPE_CHECKING:
    from relayscope.collector.page.trace.crossings import Crossing
    from relayscope.collector.query.trace_tree import Trace


def exchange(trace: Trace) -> Exchange:
    """Return the exchange in a trace."""
    return Exchange.of(Places(trace))


def crossed(trace: Trace) -> list[Crossing]:
    """Its messages on their way."""
    return crossings(list(trace.nodes()), trace.loose)


def signals(trace: Trace) -> list[Signal]:
    """The messages of it."""
    return [step for step in exchange(trace).steps if isinstance(step, Signal)]


@settings(max_examples=40)
@given(traces())
def test_each_message_crosses_exactly_once(trace: Trace) -> None:
    """Each record of a message that was sent or received is in one crossing, whatever the tree."""
    in_trace = [
        record
        for record in (*trace.loose, *(one for node in trace.nodes() for one in node.records))
        if isinstance(record, Message) and record.direction in ("sent", "received")
    ]
    told = [
        id(record)
        for crossing in crossed(trace)
        for record in (crossing.sent, crossing.received)
        if record is not None
    ]

    assert sorted(told) == sorted(map(id, in_trace))


@settings(max_examples=40)
@given(traces())
def test_everything_of_a_trace_is_told_in_the_order_of_time(trace: Trace) -> None:
    """Nothing arrives before it was sent, and what is told has a name in the trace."""
    told = exchange(trace)
    places = Places(trace)

    assert [step.time for step in told.steps] == sorted(step.time for step in told.steps)
    assert all(step.arrives >= step.leaves for step in told.steps if isinstance(step, Signal))
    assert all(name in places.items for step in told.steps for name in step.names)


def test_two_records_of_a_message_are_one_arrow_between_two_components() -> None:
    """A peer that records nothing has a lane too, under the name that the other end gives it."""
    ways = [(one.sender.key, one.receiver.key, one.label) for one in signals(relayed())]

    assert ways[0] == ("client", "iccm-relay", "tools/call #3")
    assert ("iccm-relay", "time-server", "tools/call #1") in ways
    assert ("iccm-relay", "127.0.0.1:9052 of iccm-relay", "tools/list #2") in ways
    # Eight records of four messages, two of one end only, and a connection that was refused.
    assert len(ways) == 7


def test_an_answer_that_is_in_no_trace_is_one_message_with_the_record_of_its_sender() -> None:
    """It came over a connection of the trace, of which it is known who is at the other end."""
    some_spans, some_records = samples.relayed_call()
    backend = next(one for one in some_spans if one.component == "time-server")
    orphan = '{"jsonrpc": "2.0", "error": {"code": -32603, "message": "no"}}'
    sent = message(backend, 10, "sent", orphan, "127.0.0.1:48230")
    relay = next(one for one in some_spans if one.span_id == backend.parent_span_id)
    received = message(relay, 10.5, "received", orphan, "127.0.0.1:9051")
    received = dataclasses.replace(received, span_id=None)
    trace = build(TRACE_ID, some_spans, [*some_records, sent, received])

    (crossing,) = (one for one in crossed(trace) if received in (one.sent, one.received))
    assert crossing.sent is sent


def test_a_connection_that_failed_leads_to_nothing() -> None:
    """It is an arrow that says why."""
    (refused,) = (one for one in signals(relayed()) if one.label == "connect gates")

    assert refused.trouble
    assert "ConnectionRefusedError" in refused.trouble


def test_an_unanswered_request_says_so_where_it_leaves_and_where_it_was_given_up() -> None:
    """The reason is shown at both places."""
    asked = span(
        "aa00000000000001", None, "relay", "tools/list", kind="client", times=(0, 30_000),
        error=("cancelled", None),
    )  # fmt: skip
    request = message(asked, 0, "sent", '{"id": 2, "method": "tools/list"}', "127.0.0.1:1")
    signal, note = exchange(build(TRACE_ID, [asked], [request])).steps

    assert isinstance(signal, Signal)
    assert signal.trouble == "no answer in 30.00 s: cancelled by who asked"
    assert isinstance(note, Note)
    assert note.said == signal.trouble
    assert note.time == asked.end


def test_a_message_that_was_changed_between_two_ends_is_one_message_all_the_same() -> None:
    """The program that changed it records nothing; the two records show that it was changed."""
    some_spans, some_records = samples.relayed_call()
    changed = [
        dataclasses.replace(one, body="{}", body_digest=b"other")
        if one.component == "time-server" and isinstance(one, Message) and one.kind == "request"
        else one
        for one in some_records
    ]
    (altered,) = (one for one in signals(build(TRACE_ID, some_spans, changed)) if one.is_changed)

    assert (altered.sender, altered.receiver) == (Party("iccm-relay"), Party("time-server"))


def test_calls_of_which_only_spans_were_recorded_have_arrows() -> None:
    """At level INFO no message is recorded."""
    some_spans, _ = samples.relayed_call()
    ways = [
        (one.sender.key, one.receiver.key, one.kind)
        for one in signals(build(TRACE_ID, some_spans, []))
    ]

    assert ways[0] == ("client", "iccm-relay", "request")
    assert ways[-1] == ("iccm-relay", "client", "result")
    assert ("time-server", "iccm-relay", "result") in ways


@pytest.mark.parametrize("ms", [-90_000, -3, 3, 90_000])
@pytest.mark.parametrize("component", ["iccm-relay", "time-server"])
def test_a_clock_that_differs_is_put_right(component: str, ms: float) -> None:
    """Up to the time that messages took, and everything is in the order it happened in."""
    trace = with_clock(component, ms)
    found = corrections(list(trace.nodes()), crossed(trace))

    assert set(found) == {component}
    assert abs(found[component] + ms * 1e6) < 2e6
    order = [(one.sender.key, one.label) for one in signals(trace)]
    assert order == [(one.sender.key, one.label) for one in signals(relayed())]


def test_clocks_that_contradict_nothing_are_left_alone() -> None:
    """Nothing is put right that is not known to be wrong."""
    assert exchange(relayed()).corrections == {}


def test_a_notification_that_is_handled_later_says_nothing_about_clocks() -> None:
    """Its sender does not wait for it."""
    sent = span(
        "aa00000000000001", None, "relay", "notifications/initialized", kind="client", times=(0, 1)
    )
    handled = span(
        "aa00000000000002", sent.span_id, "gates", "notifications/initialized", kind="server",
        times=(5, 9),
    )  # fmt: skip
    trace = build(TRACE_ID, [sent, handled], [])

    assert corrections(list(trace.nodes()), crossed(trace)) == {}
