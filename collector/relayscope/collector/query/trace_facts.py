"""Facts of a trace: when, how long, who took part, and what a reader should look for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from relayscope.collector.query.records import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relayscope.collector.query.records import Record, Span
    from relayscope.collector.query.trace_tree import Node, Trace


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of a trace, without what is beside it. Times are ns since 1970.

    Attributes:
        spans: those that were recorded, from the top of the tree down.
        records: all log records, messages too, in the order of the tree.
        components: names of those that took part, in the order of the tree.
        zero: the time that offsets in the trace count from: the start of the first root.
        start: the first moment that anyone recorded, by that one's own clock.
        end: the last such moment.
        messages: number of records that are messages.
        odd: number of them that are odd.
        failed: number of spans with an error.
        missing: number of spans that were not recorded, though others name them.
        ahead: number of spans that start before their parent, so that their clocks differ.
    """

    spans: tuple[Span, ...]
    records: tuple[Record, ...]
    components: tuple[str, ...]
    zero: int
    start: int
    end: int
    messages: int
    odd: int
    failed: int
    missing: int
    ahead: int

    @property
    def extent(self) -> int:
        """Time from the first moment to the last, in ns."""
        return self.end - self.start

    @classmethod
    def of(cls, trace: Trace, nodes: Sequence[Node]) -> Facts:
        """Take them from a trace, and its spans from the top down."""
        spans = tuple(node.span for node in nodes if node.span)
        records = (*trace.loose, *chain.from_iterable(node.records for node in nodes))
        times = [span.start for span in spans] + [record.time for record in records]
        start = min(times, default=0)
        messages = [record for record in records if isinstance(record, Message)]
        named = chain((span.component for span in spans), (one.component for one in records))
        return cls(
            spans=spans,
            records=records,
            components=tuple(dict.fromkeys(named)),
            zero=trace.roots[0].start if trace.roots else start,
            start=start,
            end=max(chain(times, (span.end for span in spans)), default=0),
            messages=len(messages),
            odd=sum(message.is_odd for message in messages),
            failed=sum(span.failed for span in spans),
            missing=sum(node.span is None for node in nodes),
            ahead=sum(node.ahead > 0 for node in nodes),
        )
