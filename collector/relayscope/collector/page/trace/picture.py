"""A trace as it is looked at: what is in it, what is shown, and by which clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import dict_row

from relayscope.collector.page.behind import Statement, behind
from relayscope.collector.page.trace import words
from relayscope.collector.page.trace.exchange import Exchange
from relayscope.collector.page.trace.places import Places
from relayscope.collector.page.trace.scale import Scale
from relayscope.collector.page.trace.shown import Shown
from relayscope.collector.query.named_query import in_our_words
from relayscope.collector.query.queries import query
from relayscope.collector.query.records import Message
from relayscope.collector.query.trace_facts import Facts
from relayscope.collector.query.trace_tree import Node
from relayscope.collector.query.traces import load, with_odd_messages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    import psycopg

    from relayscope.collector.page.trace.address import Address
    from relayscope.collector.page.trace.crossings import Crossing
    from relayscope.collector.page.trace.steps import Step
    from relayscope.collector.query.records import Record, Span
    from relayscope.collector.query.trace_tree import Trace

LIMIT: Final = 5000
"""Spans and records of a trace that are shown."""


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the views of one trace share; `found` are names of what was looked for."""

    trace: Trace
    places: Places
    exchange: Exchange
    facts: Facts
    shown: Shown
    scale: Scale
    found: tuple[str, ...]
    _crossings: dict[int, Crossing]

    @classmethod
    def of(cls, trace: Trace, address: Address, found: Iterable[str] = ()) -> Picture:
        """Make it of a trace, for an address; `found` are names."""
        places = Places(trace)
        exchange = Exchange.of(places, clocks=address.clocks)
        hits = set(found)
        in_order = tuple(name for name in places.items if name in hits)
        return cls(
            trace,
            places,
            exchange,
            Facts.of(trace, places.nodes),
            Shown.of(places, address, frozenset(in_order)),
            Scale.of(places, exchange.corrections),
            in_order,
            {
                id(record): crossing
                for crossing in exchange.crossings
                for record in (crossing.sent, crossing.received)
                if record is not None
            },
        )

    def crossing(self, message: Message) -> Crossing | None:
        """The crossing that a message is a record of."""
        return self._crossings.get(id(message))

    def span_of(self, record: Record) -> Span | None:
        """The span that a record belongs to, if it was recorded."""
        node = self.places.node(record)
        return node.span if node is not None else None

    def time(self, record: Record) -> int:
        """The time of a record by the clock of all."""
        return record.time + self.exchange.corrections.get(record.component, 0)

    @property
    def steps(self) -> list[Step]:
        """The steps of the exchange that are shown."""
        shown = self.shown.names
        return [step for step in self.exchange.steps if not shown.isdisjoint(step.names)]


def look(connection: psycopg.Connection[Any], trace_id: UUID, address: Address) -> Picture:
    """Load a trace as an address shows it.

    Raises:
        TraceMissing: Nothing of it is stored.
    """
    trace = load(connection, trace_id, limit=LIMIT, characters=words.GIST_CHARACTERS)
    trace = with_odd_messages(connection, trace, limit=LIMIT)
    found: list[str] = []
    if address.find:
        found = _found(connection, trace, address.find)
    return Picture.of(trace, address, found)


def _found(connection: psycopg.Connection[Any], trace: Trace, text: str) -> list[str]:
    with in_our_words(), connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            query("found_in_trace"), {"trace_id": trace.trace_id, "text": text.replace("\0", "")}
        ).fetchall()
    spans = {row["span_id"] for row in rows if row["what"] == "span"}
    records = {
        (row["component"], int(row["time_unix_nano"]), row["channel"], row["sequence"])
        for row in rows
        if row["what"] == "record"
    }
    found = []
    for name, item in Places(trace).items.items():
        if isinstance(item, Node):
            if item.span is not None and item.span_id in spans:
                found.append(name)
        elif hasattr(item, "component"):
            channel = item.channel if isinstance(item, Message) else None
            sequence = str(item.sequence) if isinstance(item, Message) and channel else None
            if (item.component, item.time, channel, sequence) in records:
                found.append(name)
    return found


def statements(trace_id: UUID) -> tuple[Statement, ...]:
    """The SQL behind it."""
    asked = {
        "trace_id": trace_id,
        "spans": LIMIT,
        "records": LIMIT,
        "characters": words.GIST_CHARACTERS,
    }
    return behind(asked, "spans_of_trace", "records_of_trace")
