"""Which context a message is a part of.

For one that was received, in this order: what its `params._meta` carries (SEP-414), then what its
transport carries (the header of an HTTP request, or the span that another instrumentation has made
of it). Where both are there, the first is the parent, and the second a link to another trace. Never
what the reading task did before.

For one that is sent: what the sending task works for.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import Link, Span, get_current_span, set_span_in_context

from . import ambient
from .calls import Call
from .message import Message
from .passing import Passing

_MOST: Final = 4096
"""Received messages that are remembered by their `traceparent`, about 1 MiB."""

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
        self._by_traceparent: OrderedDict[str, Span] = OrderedDict()
        """Spans of open received requests, and of the newest notifications, by the `traceparent`
        that they came with."""
        self._passing = Passing()

    def of_received(
        self, message: Message, around: Context | None
    ) -> tuple[Context, Sequence[Link]]:
        """Return the parent of a received message, and what it is linked to."""
        own = Context()
        if message.meta:
            own = propagate.extract(message.meta, context=own, getter=_META_GETTER)
        if around is None:
            return own, ()
        other = get_current_span(around).get_span_context()
        if not other.is_valid:
            return own, ()
        carried = get_current_span(own).get_span_context()
        if not carried.is_valid:
            return around, ()
        # Nothing is told by a link to the trace that it is in.
        return own, () if other.trace_id == carried.trace_id else (Link(other),)

    def remember(self, message: Message, span: Span) -> None:
        """Remember a received request or notification."""
        traceparent = message.meta.get("traceparent")
        if isinstance(traceparent, str) and len(traceparent) <= _LONGEST_TRACEPARENT:
            self._by_traceparent[traceparent] = span
            if len(self._by_traceparent) > _MOST:
                self._by_traceparent.popitem(last=False)
        self._passing.add(message, span)

    def forget(self, call: Call) -> None:
        """Forget a received request: its call is over."""
        traceparent = call.request.meta.get("traceparent")
        if isinstance(traceparent, str):
            self._by_traceparent.pop(traceparent, None)
        self._passing.remove(call.span)

    def of_sent(self, message: Message) -> Context:
        """Return the context that a message sent from here is a part of.

        A relay may forward the `_meta` it received, `traceparent` and all. Left alone, that would
        make the backend a sibling of the relay; so it leads to the call that brought it. Any other
        `traceparent` was put there by the host's own tracing, and is the parent.
        """
        current = ambient.context()
        here = get_current_span(current).get_span_context()
        traceparent = message.meta.get("traceparent")
        if not isinstance(traceparent, str):
            passed_on = None if here.is_valid else self._passing.span_of(message)
            return current if passed_on is None else set_span_in_context(passed_on, current)
        span = self._by_traceparent.get(traceparent)
        if span is None:
            return propagate.extract(message.meta, context=current, getter=_META_GETTER)
        if here.trace_id == span.get_span_context().trace_id:
            return current
        return set_span_in_context(span, current)
