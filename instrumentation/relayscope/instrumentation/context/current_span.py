"""The span that a task works for: entered when a request is read, left when it is answered.

A read that returns a request makes that request's SERVER span current in the reading task, so
that whatever the host sends next becomes its child. Context variables that a coroutine sets stay
set in the task that awaits it, which is what lets a wrapped `recv()` do this.

A task that is started inherits the context, and may outlive the request by far: it may own a
connection to a backend, or be the loop of a pool. So a span counts for as long as it is open.
"""

from contextvars import ContextVar
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context, create_key
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanKind,
    get_current_span,
    set_span_in_context,
)

NOWHERE: Final = set_span_in_context(INVALID_SPAN, Context())
"""The context of a log record that belongs to no span. The SDK takes an empty one for none at all,
and files the record under the span that is current."""

_Entered = tuple[Context, Span, Context, Context]

_entered: ContextVar[_Entered | None] = ContextVar("relayscope_entered", default=None)
"""The task's context from before the first request was entered, the newest request's span, the
context with that, and the one to go back to from a notification. To find the span in the context
again takes six calls."""

_Ours = tuple[Span, Span]

_SPAN: Final = next(iter(set_span_in_context(INVALID_SPAN, Context())))
"""OpenTelemetry's key of the current span, which it does not tell."""

_OURS: Final = create_key("relayscope-span")
"""Key of a context with the span of ours that it is below, and the host's span around that."""

_ANSWERED: Final = "_relayscope_is_answered"
"""Attribute of the spans of answered requests: a thread that only reads does not know that another
has answered. A set of them would hold them weakly, which takes 3 us for each call."""


def enter(span: Span) -> None:
    """Make `span` current for the running task, in place of the request entered before it."""
    entered = _entered.get()
    outer = otel_context.get_current() if entered is None else entered[0]
    inner = within(span, outer)
    back = outer
    # Of a notification: it is over as soon as it is read.
    if entered is not None and is_over(span):
        back = entered[3] if is_over(entered[1]) else entered[2]
    _entered.set((outer, span, inner, back))
    otel_context.attach(inner)


def leave(span: Span) -> None:
    """End the work for `span`; the running task gets its own context back."""
    setattr(span, _ANSWERED, True)
    entered = _entered.get()
    if entered is not None and _span_of(otel_context.get_current(), entered) is span:
        otel_context.attach(entered[0])
        _entered.set(None)


def current() -> tuple[Context, Span]:
    """Return the running task's context, and the span in it, which may be over.

    A span that the host's own sampler has left out below one of ours is nowhere: what is sent in it
    is below ours.
    """
    now = otel_context.get_current()
    here = _span_of(now, _entered.get())
    if type(here) is NonRecordingSpan:
        ours: _Ours | None = now.get(_OURS)  # type: ignore[assignment]  # contexts hold objects
        if ours is not None and _is_left_out(here, ours[0]):
            return set_span_in_context(ours[0], now), ours[0]
    return now, here


def span() -> Span:
    """Return the span in the running task's context, which may be over."""
    return current()[1]


def original(now: Context, here: Span) -> Span:
    """Return the span of ours in whose place a tracer that does nothing has put its context.

    A copy does not end: for what a task goes on to tell, as the state of what a call has begun, it
    is the parent. A task that serves a pool asks on behalf of others once its first call is over.
    """
    if type(here) is NonRecordingSpan:
        ours: _Ours | None = now.get(_OURS)  # type: ignore[assignment]  # contexts hold objects
        if ours is not None and here.get_span_context() == ours[0].get_span_context():
            return ours[0]
    return here


def before() -> Context:
    """Return the running task's context from before the notifications that it has read last."""
    entered = _entered.get()
    if entered is None:
        return Context()
    return entered[0] if is_over(get_current_span(entered[3])) else entered[3]


def is_over(span: Span) -> bool:
    """Return whether a span has ended, or is about to: its request is answered."""
    return hasattr(span, _ANSWERED) or getattr(span, "end_time", None) is not None


def is_of(span: Span, traceparent: str) -> bool:
    """Return whether a `traceparent` names this span."""
    return traceparent[36:52] == format(span.get_span_context().span_id, "016x")


def context() -> Context:
    """Return the context that the running task works in."""
    now, span = current()
    return around() if is_over(span) else now


def of_host() -> Context | None:
    """Return the running task's context if the host's own span of a request is open in it.

    Another one says nothing of the request: a host may run its server in a span of its own.
    """
    now, entered = otel_context.get_current(), _entered.get()
    here = get_current_span(now)
    if getattr(here, "kind", None) is not SpanKind.SERVER or is_over(here):
        return None
    return None if entered is not None and here is entered[1] else now


def within(span: Span, around: Context) -> Context:
    """Return a context with a span of ours, which is remembered below spans of the host's."""
    outer: Span = INVALID_SPAN
    if around:
        before: _Ours | None = around.get(_OURS)  # type: ignore[assignment]  # contexts hold objects
        here = get_current_span(around)
        outer = before[1] if before is not None and here is before[0] else here
    # OpenTelemetry's own two calls copy the context twice: a tenth of a message's time.
    return Context({**around, _SPAN: span, _OURS: (span, outer)})


def without_ours(given: Context | None) -> tuple[Context, Span]:
    """Return a context as the host would have it without us, and the span of ours in it.

    Args:
        given: The context; None is the running task's.
    """
    now = otel_context.get_current() if given is None else given
    ours: _Ours | None = now.get(_OURS)  # type: ignore[assignment]  # contexts hold objects
    if ours is None or get_current_span(now) is not ours[0]:
        return now, INVALID_SPAN
    own, outer = ours
    return set_span_in_context(outer, now), own


def around() -> Context:
    """Return the running task's context without the span that is over."""
    entered = _entered.get()
    if entered is None:
        return Context()
    outer, span, inner, _ = entered
    if not is_over(span):
        return inner
    return Context() if is_over(get_current_span(outer)) else outer


def _is_left_out(here: Span, own: Span) -> bool:
    """Return whether a sampler in this process has left a span out of the trace of another."""
    of_here = here.get_span_context()
    is_of_trace = of_here.trace_id == own.get_span_context().trace_id
    return is_of_trace and not of_here.is_remote and not of_here.trace_flags.sampled


def _span_of(now: Context, entered: _Entered | None) -> Span:
    """Return the current span: the one that was entered, unless the host went on from there."""
    if entered is not None and now is entered[2]:
        return entered[1]
    span = get_current_span(now)
    if entered is not None and type(span) is NonRecordingSpan:
        # A tracer that does nothing puts the context of the span before in place of a new one.
        own = entered[1]
        if span.get_span_context() == own.get_span_context():
            return own
    return span
