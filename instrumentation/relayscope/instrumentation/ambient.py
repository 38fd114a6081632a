"""The span that a task works for: entered when a request is read, left when it is answered.

A read that returns a request makes that request's SERVER span current in the reading task, so
that whatever the host sends next becomes its child. Context variables that a coroutine sets stay
set in the task that awaits it, which is what lets a wrapped `recv()` do this.
"""

from contextvars import ContextVar
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import Span, get_current_span, set_span_in_context

_outer: ContextVar[Context | None] = ContextVar("relayscope_outer_context", default=None)
"""The task's context from before the first request was entered."""

_ANSWERED: Final = "_relayscope_is_answered"
"""Attribute of the spans of answered requests: a thread that only reads does not know that another
has answered. A set of them would hold them weakly, which takes 3 us for each call."""


def enter(span: Span) -> None:
    """Make `span` current for the running task, in place of the request entered before it."""
    outer = _outer.get()
    if outer is None:
        outer = otel_context.get_current()
        _outer.set(outer)
    otel_context.attach(set_span_in_context(span, outer))


def leave(span: Span) -> None:
    """Say that nobody works for `span` any more; the running task gets its own context back."""
    setattr(span, _ANSWERED, True)
    outer = _outer.get()
    if outer is not None and get_current_span() is span:
        otel_context.attach(outer)
        _outer.set(None)


def context() -> Context:
    """Return the context that the running task works in."""
    current = otel_context.get_current()
    outer = _outer.get()
    if outer is not None and hasattr(get_current_span(current), _ANSWERED):
        return outer
    return current
