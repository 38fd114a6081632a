"""A trace as it is looked at: what is in it, what is shown, and by which clocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from relayscope.collector.page.behind import Statement, behind
from relayscope.collector.page.trace import words
from relayscope.collector.page.trace.exchange import Exchange
from relayscope.collector.page.trace.found import NOTHING, found_in
from relayscope.collector.page.trace.places import Places, named
from relayscope.collector.page.trace.scale import Scale
from relayscope.collector.page.trace.shown import Shown
from relayscope.collector.query.trace_facts import Facts
from relayscope.collector.query.trace_part import part_of, place_of
from relayscope.collector.query.traces import load, with_strays

if TYPE_CHECKING:
    from uuid import UUID

    import psycopg

    from relayscope.collector.page.trace.address import Address
    from relayscope.collector.page.trace.crossings import Crossing
    from relayscope.collector.page.trace.found import Found
    from relayscope.collector.page.trace.steps import Step
    from relayscope.collector.query.records import Message, Record, Span
    from relayscope.collector.query.trace_part import Part
    from relayscope.collector.query.trace_tree import Trace

LIMIT: Final = 5000
"""Spans and records of a trace that are shown."""


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the views of one trace share.

    Attributes:
        found: Names of what was looked for, in the order of the tree.
        beyond: What of it is in no part that is shown.
        part: The part of the trace's records that is shown; None for all of them.
    """

    trace: Trace
    places: Places
    exchange: Exchange
    facts: Facts
    shown: Shown
    scale: Scale
    found: tuple[str, ...]
    beyond: Found
    part: Part | None
    _crossings: dict[int, Crossing]

    @classmethod
    def of(
        cls,
        trace: Trace,
        address: Address,
        found: Found = NOTHING,
        part: Part | None = None,
    ) -> Picture:
        """Make it of a trace, or a part of one, for an address."""
        places = Places(trace)
        exchange = Exchange.of(places, clocks=address.clocks)
        hits = set(found.shown)
        in_order = tuple(name for name in places.items if name in hits)
        return cls(
            trace,
            places,
            exchange,
            Facts.of(trace, places.nodes),
            Shown.of(places, address, frozenset(in_order)),
            Scale.of(places, exchange.corrections),
            in_order,
            found,
            part,
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
    """Load a trace as an address shows it: of a long one a part, in which is what is chosen.

    Raises:
        TraceMissing: Nothing of it is stored.
    """
    first = max(1, address.first or 1)
    trace = _loaded(connection, trace_id, address, first)
    if _is_part(trace, first) and address.at and not _has(trace, address.at):
        place = place_of(connection, trace_id, address.at)
        if place is not None:
            first = max(1, place - LIMIT // 2)
            trace = _loaded(connection, trace_id, address, first)
    part = None
    if _is_part(trace, first):
        loaded = sum(1 for _ in trace.records())
        part = part_of(connection, trace_id, first=first, loaded=loaded)
    trace = with_strays(connection, trace, limit=LIMIT)
    found = found_in(connection, trace, address.find) if address.find else NOTHING
    return Picture.of(trace, address, found, part)


def _loaded(
    connection: psycopg.Connection[Any], trace_id: UUID, address: Address, first: int
) -> Trace:
    return load(
        connection,
        trace_id,
        limit=LIMIT,
        characters=words.GIST_CHARACTERS,
        skipped=first - 1,
        chosen=address.at.replace("\0", ""),
    )


def _is_part(trace: Trace, first: int) -> bool:
    return trace.more_records or first > 1


def _has(trace: Trace, name: str) -> bool:
    """Return whether a record of that name was loaded."""
    return any(named(record) == name for record in trace.records())


def statements(trace_id: UUID) -> tuple[Statement, ...]:
    """The SQL behind it."""
    asked = {
        "trace_id": trace_id,
        "spans": LIMIT,
        "chosen": "",
        "records": LIMIT,
        "skipped": 0,
        "characters": words.GIST_CHARACTERS,
    }
    return behind(asked, "spans_of_trace", "records_of_trace")
