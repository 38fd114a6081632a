"""Traces to draw: any that hypothesis makes, and some with a fault or with clocks that differ."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from relayscope.collector.query.trace_tree import build
from tests.collector.reading.samples import START, TRACE_ID, message, relayed_call, span
from tests.collector.reading.test_trace_tree import records, spans

if TYPE_CHECKING:
    from relayscope.collector.query.records import Record, Span
    from relayscope.collector.query.trace_tree import Trace


MINUTE = 60 * 10**9


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Any trace, however broken."""
    return build(
        TRACE_ID,
        draw(st.lists(spans(), max_size=10)),
        draw(st.lists(records(), max_size=14)),
    )


def relayed() -> Trace:
    """The relayed call of the samples."""
    return build(TRACE_ID, *relayed_call())


def with_clock(component: str, ms: float) -> Trace:
    """The relayed call, where one component's clock is ahead by so much."""
    return build(TRACE_ID, *ahead(component, ms, *relayed_call()))


def ahead(
    component: str, ms: float, some_spans: list[Span], some_records: list[Record]
) -> tuple[list[Span], list[Record]]:
    """The same, where one component's clock is ahead by so much."""
    shift = round(ms * 1e6)

    def moved_span(one: Span) -> Span:
        if one.component != component:
            return one
        return replace(one, start=one.start + shift, end=one.end + shift)

    def moved(one: Record) -> Record:
        return replace(one, time=one.time + shift) if one.component == component else one

    return [*map(moved_span, some_spans)], [*map(moved, some_records)]


def concurrent(calls: int) -> Trace:
    """Calls of one client to one server, all of them under way at the same time."""
    made = []
    said: list[Record] = []
    for number in range(calls):
        ask = f'{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{{"n":{number}}}}}'
        answer = f'{{"jsonrpc":"2.0","id":{number},"result":{{"n":{number}}}}}'
        client = span(
            f"{2 * number + 1:016x}", None, "client", "tools/call", kind="client",
            times=(number, number + calls),
        )  # fmt: skip
        server = span(
            f"{2 * number + 2:016x}", client.span_id, "server", "tools/call", kind="server",
            times=(number + 0.2, number + calls - 0.2),
        )  # fmt: skip
        made += [client, server]
        said += [
            message(client, number, "sent", ask),
            message(server, number + 0.2, "received", ask),
            message(server, number + calls - 0.2, "sent", answer),
            message(client, number + calls, "received", answer),
        ]
    return build(TRACE_ID, made, said)


def recent(made: list[Span], said: list[Record]) -> tuple[list[Span], list[Record]]:
    """The same of a moment ago: a collector removes what is older than it keeps."""
    shift = time.time_ns() - MINUTE - START
    return (
        [
            replace(
                one,
                start=one.start + shift,
                end=one.end + shift,
                events=tuple(replace(event, time=event.time + shift) for event in one.events),
            )
            for one in made
        ],
        [replace(one, time=one.time + shift) for one in said],
    )
