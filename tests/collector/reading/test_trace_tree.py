"""Traces as trees, whatever their spans say about their parents."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from relayscope.collector.query.records import Record, Span, SpanEvent
from relayscope.collector.query.trace_tree import Node, build, repeats
from relayscope.conventions.attributes import MCP_METHOD_NAME, MESSAGE_DIRECTION, MESSAGE_KIND
from tests.collector.reading import samples
from tests.collector.reading.samples import TRACE_ID, log, message, span

if TYPE_CHECKING:
    from relayscope.collector.query.trace_tree import Trace

# Few ids, so that parents meet their children, themselves, and each other's; and one of nobody.
IDS = st.sampled_from([f"{number:016x}" for number in range(1, 9)])


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Any span with any parent: recorded or not, itself, its own child."""
    start = draw(st.integers(0, 2**64 - 1))
    return Span(
        span_id=draw(IDS),
        parent_span_id=draw(st.none() | IDS | st.just("ffffffffffffffff")),
        component=draw(st.sampled_from("ab")),
        name="x",
        kind="client",
        start=start,
        end=draw(st.integers(0, 2**64 - 1)),
        status="unset",
        status_message=None,
        attributes={},
        events=(SpanEvent(start, "e", {}),) if draw(st.booleans()) else (),
    )


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record, also of spans that were not recorded and of none."""
    where = draw(spans())
    if draw(st.booleans()):
        direction = draw(st.sampled_from(["sent", "received", "sideways"]))
        where.attributes[MCP_METHOD_NAME] = "x"
        one: Record = message(where, 0, direction, "{}")
    else:
        one = log(where, "a", 0, (9, "INFO"), "text")
    span_id = draw(st.none() | IDS | st.just("eeeeeeeeeeeeeeee"))
    return dataclasses.replace(one, span_id=span_id, time=draw(st.integers(0, 2**64 - 1)))


@given(st.lists(spans(), max_size=40), st.lists(records(), max_size=40))
def test_each_span_record_and_event_is_there_exactly_once(
    some_spans: list[Span], some_records: list[Record]
) -> None:
    """Any graph of parents, with cycles and ids used twice, becomes a tree that loses nothing."""
    trace = build(TRACE_ID, some_spans, some_records)
    items = [entry.item for entry in trace.entries()]
    shown = [item.span for item in items if isinstance(item, Node) and item.span]
    assert sorted(map(id, shown)) == sorted(map(id, some_spans))
    assert sorted(id(item) for item in items if isinstance(item, Record)) == sorted(
        map(id, some_records)
    )
    events = [event for one in some_spans for event in one.events]
    assert sorted(id(item) for item in items if isinstance(item, SpanEvent)) == sorted(
        map(id, events)
    )


@given(st.lists(spans(), max_size=40), st.lists(records(), max_size=40))
def test_what_stands_below_a_span_belongs_to_it(
    some_spans: list[Span], some_records: list[Record]
) -> None:
    """A line is one deeper than the span that it names."""
    trace = build(TRACE_ID, some_spans, some_records)
    path: list[Node] = []
    for entry in trace.entries():
        del path[entry.depth :]
        assert len(path) == entry.depth
        above = path[-1] if path else None
        item = entry.item
        if isinstance(item, Node):
            assert item.parent is above
            if above and item.span:
                assert item.span.parent_span_id == above.span_id
            path.append(item)
        elif isinstance(item, Record):
            assert item.span_id == (above.span_id if above else None)


@given(st.lists(spans(), max_size=40))
def test_a_root_has_a_reason(some_spans: list[Span]) -> None:
    """Roots name no parent, or close a cycle, or stand for a span that was not recorded."""
    for root in build(TRACE_ID, some_spans, []).roots:
        assert root.span is None or root.span.parent_span_id is None or root.in_cycle


@given(st.lists(spans(), max_size=40))
def test_only_spans_in_a_cycle_are_cut_from_their_parent(some_spans: list[Span]) -> None:
    """A span that hangs below a cycle keeps its parent."""
    trace = build(TRACE_ID, some_spans, [])
    for node in trace.nodes():
        if node.in_cycle:
            assert node.span is not None
            assert node.span.parent_span_id in {below.span_id for below in _below(node)}


def _below(node: Node) -> list[Node]:
    found = [node]
    for one in found:
        found += one.children
    return found


def test_siblings_of_a_parent_that_was_not_recorded_stay_together() -> None:
    """The parent has a place of its own, with its messages."""
    parent = span("a" * 16, None, "client", "tools/call", kind="client", times=(0, 9))
    children = [
        span(f"{n}" * 16, "a" * 16, "relay", "x", kind="server", times=(n, n + 1)) for n in (2, 1)
    ]
    trace = build(TRACE_ID, children, [message(parent, 0.5, "sent", "{}")])
    (root,) = trace.roots
    assert root.span is None
    assert root.span_id == "a" * 16
    assert [child.span_id for child in root.children] == ["1" * 16, "2" * 16]
    assert len(root.records) == 1


def test_ten_thousand_spans_in_a_chain_are_no_deeper_than_the_stack() -> None:
    """Depth costs no recursion."""
    chain = [
        span(f"{n:016x}", f"{n - 1:016x}" if n else None, "a", "x", kind="client", times=(n, n))
        for n in range(10_000)
    ]
    trace = build(TRACE_ID, reversed(chain), [])
    assert max(entry.depth for entry in trace.entries()) == 9_999


def test_a_relayed_call_is_told_in_the_order_it_happened() -> None:
    """Down through the legs and up again, each message after what led to it."""
    trace = build(TRACE_ID, *samples.relayed_call())
    assert _outline(trace) == [
        "0 client",
        "1 sent request",
        "1 iccm-relay",
        "2 received request",
        "2 iccm-relay",
        "2 WARN",
        "2 iccm-relay",
        "3 sent request",
        "3 time-server",
        "4 received request",
        "4 sent result",
        "3 received result",
        "2 iccm-relay",
        "3 sent request",
        "3 received error",
        "2 sent result",
        "1 received result",
    ]


def test_another_clock_does_not_turn_cause_and_effect_around() -> None:
    """A backend that is an hour ahead, or behind, still stands between request and answer."""
    spans, records = samples.relayed_call()
    told = _outline(build(TRACE_ID, spans, records))
    for skew in (-3_600 * 10**9, 3_600 * 10**9):
        skewed_spans = [
            dataclasses.replace(one, start=one.start + skew, end=one.end + skew)
            if one.component == "time-server"
            else one
            for one in spans
        ]
        skewed_records = [
            dataclasses.replace(one, time=one.time + skew)
            if one.component == "time-server"
            else one
            for one in records
        ]
        trace = build(TRACE_ID, skewed_spans, skewed_records)
        assert _outline(trace) == told
        ahead = [node.span.component for node in trace.nodes() if node.span and node.ahead]
        assert ahead == (["time-server"] if skew < 0 else [])


def test_a_message_that_arrived_as_it_was_sent_is_recognised() -> None:
    """Both records of a leg between two components are the same message, if their text is."""
    spans, records = samples.relayed_call()
    trace = build(TRACE_ID, spans, records)
    found = repeats(trace)
    again = [one for one in records if id(one) in found]
    assert [(one.component, one.attributes[MESSAGE_KIND]) for one in again] == [
        ("iccm-relay", "request"),
        ("time-server", "request"),
        ("iccm-relay", "result"),
        ("client", "result"),
    ]
    assert {one.attributes[MESSAGE_DIRECTION] for one in again} == {"received"}


def test_a_message_that_changed_on_its_way_is_not() -> None:
    """One other byte, and it is shown."""
    spans, records = samples.relayed_call()
    changed = [
        dataclasses.replace(one, body_digest=b"other") if one.component == "time-server" else one
        for one in records
    ]
    found = repeats(build(TRACE_ID, spans, changed))
    assert {one.component for one in changed if id(one) in found} == {"iccm-relay", "client"}


def _outline(trace: Trace) -> list[str]:
    lines = []
    for entry in trace.entries():
        match entry.item:
            case Node(span=Span(component=said)):
                pass
            case Record(event_name="mcp.message", attributes=attributes):
                said = (
                    f"{attributes['relayscope.message.direction']} "
                    f"{attributes['relayscope.message.kind']}"
                )
            case Record(severity_text=str(said)):
                pass
            case other:
                said = str(other)
        lines.append(f"{entry.depth} {said}")
    return lines


def test_who_died_in_a_call_is_below_who_asked() -> None:
    """Its span was never recorded, but what it received is what was sent."""
    asking = span("1" * 16, None, "relay", "tools/call x", kind="client", times=(0, 10))
    dead = span("2" * 16, None, "backend", "tools/call x", kind="server", times=(1, 9))
    text = '{"jsonrpc":"2.0","id":7,"method":"tools/call"}'
    sent = message(asking, 1, "sent", text)
    received = message(dead, 2, "received", text)
    other = dataclasses.replace(message(dead, 3, "received", text + " "), span_id="3" * 16)
    trace = build(TRACE_ID, [asking], [sent, received, other])
    (node, alone) = trace.roots
    (child,) = node.children
    assert node.span is asking
    assert child.span is None
    assert [*child.messages] == [received]
    assert [*alone.messages] == [other]
    assert repeats(trace) == {id(received)}
