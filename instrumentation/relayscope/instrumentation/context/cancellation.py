"""The trace of a `notifications/cancelled`: that of the request that it cancels.

Who cancels is often a timer, or a task that was started for an earlier request: it works for
nothing, or for the wrong thing. The notification itself says what it is about.
"""

from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import get_current_span, set_span_in_context

from relayscope.instrumentation.traffic.calls import OpenCalls
from relayscope.instrumentation.traffic.message import ID_TYPES, Message

from .current_span import current, is_of

CANCELLED: Final = "notifications/cancelled"


def of_sent(message: Message, calls: OpenCalls, found: Context) -> Context:
    """Return the parent of one that is sent: what was found, if that is in the call's trace."""
    traceparent = message.meta.get("traceparent")
    if isinstance(traceparent, str) and not is_of(current()[1], traceparent):
        # The host's own tracing says so to the backend, too.
        return found
    return _within(message, calls, found)


def of_received(message: Message, calls: OpenCalls, found: Context) -> Context:
    """Return the parent of one that came: what it carries, or else the call that it cancels."""
    is_carried = get_current_span(found).get_span_context().is_valid
    return found if is_carried else _within(message, calls, found)


def _within(message: Message, calls: OpenCalls, found: Context) -> Context:
    identifier: Any = message.params.get("requestId")
    call = calls.known(identifier) if type(identifier) in ID_TYPES else None
    if call is None:
        return found
    context = call.span.get_span_context()
    here = get_current_span(found).get_span_context()
    if not context.is_valid or context.trace_id == here.trace_id:
        return found
    return set_span_in_context(call.span, found)
