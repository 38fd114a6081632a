"""Batches: several messages in one text, and the span that is above them.

It is a moment, as that of a notification. Without it, each call in a batch would be a trace of its
own, and the batch's text in none of them.
"""

from collections.abc import Callable
from typing import Final, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, get_current_span, set_span_in_context

from relayscope.instrumentation.traffic.crossing import Crossing
from relayscope.instrumentation.traffic.level import Level
from relayscope.instrumentation.traffic.levels import Levels
from relayscope.instrumentation.traffic.message import Message

_INFO: Final = Level.INFO


class StartSpan(Protocol):
    """Starts the span of a message."""

    def __call__(self, crossing: Crossing, kind: SpanKind, parent: Context) -> Span:
        """Start it."""


def start(
    crossing: Crossing,
    kind: SpanKind,
    start_span: StartSpan,
    parent_of: Callable[[Message], Context],
) -> None:
    """Start a batch's span, whose parent is that of the first request or notification in it."""
    first = next((part for part in crossing.message.parts if part.method), None)
    if first is not None and crossing.level <= _INFO:
        crossing.span = start_span(crossing, kind, parent_of(first))
        crossing.ends_span = True


def part(batch: Crossing, message: Message, levels: Levels) -> Crossing:
    """Return the crossing of a message in a batch."""
    channel, direction = batch.channel, batch.direction
    level = channel.level_of(levels, direction, message.method, message.target)
    return Crossing(channel, direction, message, level, batch.time, batch=batch.span)


def parent_in(batch: Span, found: Context) -> Context:
    """Return the parent of a message in a batch: the batch, or what the message says itself."""
    here = get_current_span(found).get_span_context()
    above = getattr(batch, "parent", None)
    if here.is_valid and (above is None or here.span_id != above.span_id):
        return found
    return set_span_in_context(batch, found)


def settle(batch: Crossing) -> None:
    """Put the record of a batch of answers with the first of them that belongs to a call."""
    if batch.span is INVALID_SPAN:
        spans = (each.span for each in batch.parts)
        batch.span = next((span for span in spans if span is not INVALID_SPAN), INVALID_SPAN)
