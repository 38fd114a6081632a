"""Parent contexts of messages.

For one that was received, in this order: the context in its `params._meta` (SEP-414), then the one
in its transport (the header of an HTTP request, or the span that another instrumentation has made
of it). Where both are there, the first is the parent, and the second a link to another trace. Where
neither is, the call made here that has caused it (`causing_call.py`). The span that the reading
task had before is never the parent.

For one that is sent: the span that the sending task works for, as long as that is open and no other
received message is more like the one sent (`forwarded_requests.py`). A request is no part of a
progress notification or log message that was read before it.

A cancellation is a part of what it cancels (`cancellation.py`).
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import (
    INVALID_SPAN,
    INVALID_SPAN_CONTEXT,
    Link,
    Span,
    get_current_span,
    set_span_in_context,
)

from relayscope.instrumentation.traffic.calls import Call
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.message import Message

from . import current_span
from .causing_call import causing_call
from .extraction import extracted
from .forwarded_requests import ForwardedRequests, Received

_ASK_NOTHING: Final = frozenset({"notifications/message", "notifications/progress"})
"""Notifications that are no reason to ask anybody: whoever reads them waits for something else."""

_MOST: Final = 4096
"""Received messages that are remembered by their `traceparent`, about 1 MiB."""

_MOST_OF_ONE: Final = 127
"""Open requests with one `traceparent` that are told apart, but for the newest."""

_LONGEST_TRACEPARENT: Final = 256
"""Characters; a valid one of version 00 has 55."""


class _MetaGetter(Getter[Mapping[str, Any]]):
    """Reads `_meta`, in which a peer may put anything at all, for the propagators."""

    def get(self, carrier: Mapping[str, Any], key: str) -> list[str] | None:
        value = carrier.get(key)
        return [value] if isinstance(value, str) else None

    def keys(self, carrier: Mapping[str, Any]) -> list[str]:
        return list(carrier)


_META_GETTER = _MetaGetter()


class Parents:
    """Finds contexts, and remembers what of this process's traffic they can be found by."""

    def __init__(self) -> None:
        self._by_traceparent: OrderedDict[str, tuple[Span, ...]] = OrderedDict()
        """Spans of open received requests, and of the newest notifications, by the `traceparent`
        that they came with."""
        self._forwarded = ForwardedRequests()

    def of_received(
        self, message: Message, channel: Channel, around: Context | None
    ) -> tuple[Context, Sequence[Link]]:
        """Return the parent of a received message, and what it is linked to."""
        own = Context()
        if message.meta:
            own = extracted(message.meta, own, _META_GETTER)
        if around is None and not channel.sent:
            return own, ()  # As for nearly all: nothing else could have caused it.
        carried = get_current_span(own).get_span_context()
        other = get_current_span(around).get_span_context() if around else INVALID_SPAN_CONTEXT
        if not carried.is_valid:
            return (around if around and other.is_valid else _of_call(message, channel, own)), ()
        if not other.is_valid:
            return own, ()
        # Nothing is told by a link to the trace that it is in.
        return own, () if other.trace_id == carried.trace_id else (Link(other),)

    def of_received_batch(
        self, first: Message, channel: Channel, around: Context | None
    ) -> Context:
        """Return the parent of a received batch, in which this is the first message."""
        return self.of_received(first, channel, around)[0]

    def remember(self, message: Message, span: Span, channel: Channel) -> None:
        """Remember a received request or notification."""
        traceparent = message.meta.get("traceparent")
        if isinstance(traceparent, str) and len(traceparent) <= _LONGEST_TRACEPARENT:
            # A client that makes no span for each of its calls sends the same with several.
            others = self._by_traceparent.get(traceparent, ())
            self._by_traceparent[traceparent] = (*others[-_MOST_OF_ONE:], span)
            if len(self._by_traceparent) > _MOST:
                self._by_traceparent.popitem(last=False)
        self._forwarded.add(message, span, channel.id)

    def forget(self, call: Call) -> None:
        """Forget a received request: its call is over."""
        traceparent = call.request.meta.get("traceparent")
        if isinstance(traceparent, str):
            spans = self._by_traceparent.pop(traceparent, ())
            if len(spans) > 1:
                others = tuple(span for span in spans if span is not call.span)
                self._by_traceparent[traceparent] = others
        self._forwarded.remove(call.span)

    def of_sent(self, message: Message, channel: Channel) -> Context:
        """Return the context that a message sent from here is a part of.

        A relay may forward the `_meta` it received, `traceparent` and all. Left alone, that would
        make the backend a sibling of the relay; so it leads to the call that brought it. Any other
        `traceparent` was put there by the host's own tracing, and is the parent.
        """
        current, here = current_span.current()
        if message.id is not None:
            here = current_span.original(current, here)
        traceparent = message.meta.get("traceparent")
        # The SDK 2.x carries by itself what is current, which says no more than that it is.
        if isinstance(traceparent, str) and not current_span.is_of(here, traceparent):
            return self._of_forwarded(message, channel, traceparent)
        own = self._forwarded.get(here)
        if own is not None and message.id is not None and own.message.method in _ASK_NOTHING:
            current = current_span.before()
            here = get_current_span(current)
            own = self._forwarded.get(here)
        if own is not None:
            return self._of_own(own, message, channel, current)
        if here is INVALID_SPAN:
            around = current
        elif current_span.is_over(here):
            around = current_span.around()
        else:
            return current
        found = self._forwarded.span_of(message, channel)
        return around if found is None else set_span_in_context(found, around)

    def _of_own(
        self, own: Received, message: Message, channel: Channel, current: Context
    ) -> Context:
        """Return the context of a message that is sent in that of one that was received."""
        is_over = current_span.is_over(own.span)
        found = self._forwarded.instead_of(own, message, channel, is_over=is_over)
        return current if found is None else set_span_in_context(found, current)

    def _of_forwarded(self, message: Message, channel: Channel, traceparent: str) -> Context:
        """Return the context of a message that says by itself which one it has."""
        context = current_span.context()
        spans = self._by_traceparent.get(traceparent)
        if not spans:
            return extracted(message.meta, context, _META_GETTER)
        here = get_current_span(context)
        own = self._forwarded.get(here)
        if own is not None and here in spans:
            return self._of_own(own, message, channel, context)
        # What the host has made of it is below it; another message's span is not.
        of_trace = spans[-1].get_span_context().trace_id
        if own is None and here.get_span_context().trace_id == of_trace:
            return context
        found = self._forwarded.span_of(message, channel, spans) if len(spans) > 1 else None
        return set_span_in_context(found or spans[-1], context)


def _of_call(message: Message, channel: Channel, own: Context) -> Context:
    """Return the context of the call that has caused a message, and what else it carries itself."""
    call = causing_call(message, channel) if channel.sent else None
    if call is None or not call.span.get_span_context().is_valid:
        return own
    return set_span_in_context(call.span, own)
