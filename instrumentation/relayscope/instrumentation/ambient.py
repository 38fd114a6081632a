"""The span that a task works for: entered when a request is read, left when it is answered.

A read that returns a request makes that request's SERVER span current in the reading task, so
that whatever the host sends next becomes its child. Context variables that a coroutine sets stay
set in the task that awaits it, which is what lets a wrapped `recv()` do this.
"""

from contextvars import ContextVar
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, get_current_span, set_span_in_context

NOWHERE: Final = set_span_in_context(INVALID_SPAN, Context())
"""The context of a log record that belongs to no span. The SDK takes an empty one for none at all,
and files the record under the span that is current."""

_Entered = tuple[Context, Span, Context]

_entered: ContextVar[_Entered | None] = ContextVar("relayscope_entered", default=None)
"""The task's context from before the first request was entered, the newest request's span, and the
context with that. To find the span in the context again takes six calls."""

_ANSWERED: Final = "_relayscope_is_answered"
"""Attribute of the spans of answered requests: a thread that only reads does not know that another
has answered. A set of them would hold them weakly, which takes 3 us for each call."""


def enter(span: Span) -> None:
    """Make `span` current for the running task, in place of the request entered before it."""
    entered = _entered.get()
    outer = otel_context.get_current() if entered is None else entered[0]
    inner = set_span_in_context(span, outer)
    _entered.set((outer, span, inner))
    otel_context.attach(inner)


def leave(span: Span) -> None:
    """Say that nobody works for `span` any more; the running task gets its own context back."""
    setattr(span, _ANSWERED, True)
    entered = _entered.get()
    if entered is not None and _span_of(otel_context.get_current(), entered) is span:
        otel_context.attach(entered[0])
        _entered.set(None)


def context() -> Context:
    """Return the context that the running task works in."""
    current = otel_context.get_current()
    entered = _entered.get()
    if entered is not None and hasattr(_span_of(current, entered), _ANSWERED):
        return entered[0]
    return current


def _span_of(current: Context, entered: _Entered) -> Span:
    """Return the current span: the one that was entered, unless the host went on from there."""
    _, span, inner = entered
    return span if current is inner else get_current_span(current)
