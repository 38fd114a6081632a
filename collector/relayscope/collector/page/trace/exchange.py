"""The signals between a trace's parties, and the notes of each, in the order of time.

Times are by one clock: `clocks.py` says what was added to those of each component.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final

from relayscope.collector.page.trace import words
from relayscope.collector.page.trace.clocks import corrections
from relayscope.collector.page.trace.crossings import Party, crossings
from relayscope.collector.page.trace.steps import ASKING, Note, Signal
from relayscope.collector.query.records import Message, SpanEvent, text_of
from relayscope.collector.render.labels import exception_text
from relayscope.conventions.attributes import ERROR_TOOL, MCP_METHOD_NAME, PEER
from relayscope.conventions.events import EVENT_DELIVERY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relayscope.collector.page.trace.crossings import Crossing
    from relayscope.collector.page.trace.places import Places
    from relayscope.collector.page.trace.steps import Step
    from relayscope.collector.query.records import Record, Span
    from relayscope.collector.query.trace_tree import Node


_MESSAGE_KINDS: Final = ("request", "notification", "result", "error")


@dataclass(frozen=True)
class Exchange:
    """All of that; `corrections` are what was added to whose times."""

    places: Places
    corrections: dict[str, int]
    crossings: tuple[Crossing, ...]

    @classmethod
    def of(cls, places: Places, *, clocks: str = "") -> Exchange:
        """Find it in a trace, by its own clocks if `clocks` is `own`."""
        crossed = tuple(crossings(places.nodes, places.loose))
        return cls(places, {} if clocks == "own" else corrections(places.nodes, crossed), crossed)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Signals and notes in the order of time; only a ladder asks for them."""
        told = _Telling(self.places, self.corrections, self.crossings)
        steps = [*told.messages(), *told.spans(), *told.records()]
        return tuple(sorted(steps, key=lambda step: step.time))


class _Telling:
    """Makes steps of what is in a trace."""

    def __init__(
        self,
        places: Places,
        put_right: dict[str, int],
        crossed: tuple[Crossing, ...],
    ) -> None:
        self._loose = places.loose
        self._nodes = places.nodes
        self._spans = {node.span_id: node.span for node in self._nodes if node.span is not None}
        self._places = places
        self._put_right = put_right
        self._crossed = crossed
        self._makers = {
            crossing.received.span_id: crossing.sent.span_id
            for crossing in crossed
            if crossing.sent and crossing.received and crossing.message.kind in ASKING
        }
        self._answered = {
            self._call(crossing) for crossing in crossed if crossing.message.is_answer
        }

    def messages(self) -> Iterator[Signal]:
        """The messages, each once."""
        for crossing in self._crossed:
            message = crossing.message
            leaves = self._time(crossing.sent or message)
            names = tuple(
                self._places.name(one) for one in (crossing.sent, crossing.received) if one
            )
            yield Signal(
                names=names,
                sender=crossing.sender,
                receiver=crossing.receiver,
                leaves=leaves,
                # Where clocks contradict what can be put right, it arrives at once.
                arrives=max(leaves, self._time(crossing.received or message)),
                kind=kind_of(message),
                label=words.label(message),
                said=words.said(message),
                call=self._call(crossing),
                odd=message.odd or (crossing.received.odd if crossing.received else None),
                trouble=self._trouble(crossing),
                failed=self._says_that_it_failed(crossing),
                is_changed=crossing.is_changed,
                is_stray=self._places.strays.issuperset(names),
                begins=self._begins(crossing) if message.kind in ASKING else (),
            )

    def spans(self) -> Iterator[Signal | Note]:
        """Yield what only spans tell: calls without recorded messages, and how calls ended."""
        for node in self._nodes:
            span = node.span
            if span is None:
                continue
            yield from (self._event(span, event) for event in span.events)
            if any(message.kind in ASKING for message in node.messages):
                if span.kind == "client" and self._is_unanswered(span):
                    yield self._end(node, span)
            elif span.kind == "client":
                yield from self._call_without_messages(node, span)
            elif span.kind == "internal" and span.failed:
                yield self._end(node, span)

    def records(self) -> Iterator[Note]:
        """Log records, and messages of which nobody says whether they were sent or received."""
        for record in chain(self._loose, *(node.records for node in self._nodes)):
            if not isinstance(record, Message) or record.direction not in ("sent", "received"):
                yield self._record(record)

    def _trouble(self, crossing: Crossing) -> str | None:
        """Return why a request has no answer; None if it has one, or if this is no request."""
        call = self._call(crossing)
        if crossing.message.kind != "request":
            return None
        if (span := self._spans.get(call or "")) is None:
            return None if call in self._answered else "no answer recorded"
        return (words.no_answer(span) or words.failure(span)) if self._is_unanswered(span) else None

    def _begins(self, crossing: Crossing) -> tuple[str, ...]:
        ends = [self._places.node(one) for one in (crossing.sent, crossing.received) if one]
        return tuple(self._places.name(node) for node in ends if node is not None)

    def _says_that_it_failed(self, crossing: Crossing) -> bool:
        """Return whether it is an error, by itself or by the span of who sent or got it.

        A tool says so behind its content, which a long text has beyond what is loaded of it.
        """
        message = crossing.message
        if message.kind != "result":
            return message.kind == "error"
        ends = [one.span_id for one in (crossing.sent, crossing.received) if one is not None]
        spans = [self._spans[end] for end in ends if end in self._spans]
        return words.says_tool_error(message) or any(
            span.error_type == ERROR_TOOL for span in spans
        )

    def _is_unanswered(self, span: Span) -> bool:
        if words.no_answer(span) is not None:
            return True  # what came all the same came too late
        return span.failed and span.span_id not in self._answered

    def _call(self, crossing: Crossing) -> str | None:
        call = crossing.call
        return self._makers.get(call, call)

    def _time(self, record: Record) -> int:
        return record.time + self._put_right.get(record.component, 0)

    def _end(self, node: Node, span: Span) -> Note:
        return Note(
            names=(self._places.name(node),),
            party=Party(span.component),
            time=span.end + self._put_right.get(span.component, 0),
            kind="unanswered",
            label="✗",
            said=words.no_answer(span) or words.failure(span),
            severity="error",
            call=span.span_id,
        )

    def _call_without_messages(self, node: Node, span: Span) -> Iterator[Signal]:
        """Return the signals of a call of which only spans were recorded."""
        served = next(
            (
                child.span
                for child in node.children
                if child.span is not None and child.span.component != span.component
            ),
            None,
        )
        if any(message.is_answer for message in node.messages):
            return
        here = Party(span.component)
        peer = text_of(span.attributes.get(PEER))
        there = Party(served.component) if served else Party(peer or "?", span.component)
        start, end = (when + self._put_right.get(here.name, 0) for when in (span.start, span.end))
        shift = self._put_right.get(there.name, 0)
        method = text_of(span.attributes.get(MCP_METHOD_NAME))
        names = (self._places.name(node),)
        asked = "notification" if (method or "").startswith("notifications/") else "request"
        leads_nowhere = served is None and span.failed
        yield Signal(
            names=names,
            sender=here,
            receiver=there,
            leaves=start,
            arrives=max(start, served.start + shift) if served else start,
            kind=asked if method else "connect" if span.name == "connect" else "other",
            label=words.short(span.name),
            said="" if leads_nowhere else "message not recorded",
            call=span.span_id,
            trouble=(words.no_answer(span) or words.failure(span)) if leads_nowhere else None,
        )
        if asked == "request" and not leads_nowhere and words.no_answer(span) is None:
            yield Signal(
                names=names,
                sender=there,
                receiver=here,
                leaves=min(end, max(start, served.end + shift)) if served else end,
                arrives=end,
                kind="error" if span.failed else "result",
                label=words.failure(span) if span.failed else "answer",
                said="message not recorded",
                call=span.span_id,
                failed=span.failed,
            )

    def _event(self, span: Span, event: SpanEvent) -> Note:
        return Note(
            names=(self._places.name(event),),
            party=Party(span.component),
            time=event.time + self._put_right.get(span.component, 0),
            kind="event",
            label=words.short(event.name),
            said=words.short(exception_text(event.attributes)),
            severity="warn" if event.name == "exception" else "",
        )

    def _record(self, record: Record) -> Note:
        number = record.severity_number
        return Note(
            names=(self._places.name(record),),
            party=Party(record.component),
            time=self._time(record),
            kind=kind_of(record),
            label=words.log_label(record),
            said=words.log_said(record),
            severity="error" if number >= words.ERROR else "warn" if number >= words.WARN else "",
        )


def kind_of(record: Record) -> str:
    """Return the record's kind, one of `address.KINDS`."""
    if isinstance(record, Message):
        return next((kind for kind in _MESSAGE_KINDS if kind == record.kind), "other")
    is_ours = (record.event_name or "").startswith(("relayscope.channel.", EVENT_DELIVERY))
    return "lifecycle" if is_ours and record.severity_number < words.WARN else "log"
