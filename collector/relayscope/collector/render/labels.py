"""Labels of spans and messages, in the words that the terminal and the page share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from relayscope.conventions.attributes import (
    ERROR_ANSWERED_ABOVE,
    ERROR_CANCELLED,
    ERROR_CROWDED_OUT,
    ERROR_OTHER_CONTENT,
    ERROR_STOPPED_READING,
    ERROR_TIMEOUT,
    ERROR_UNANSWERED,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relayscope.collector.query.records import Message, Span

NO_ANSWER: Final = {
    ERROR_CANCELLED: "cancelled by who asked",
    ERROR_TIMEOUT: "no answer for an hour",
    ERROR_STOPPED_READING: "who asked stopped waiting",
    ERROR_ANSWERED_ABOVE: "the request above was answered without it",
    ERROR_UNANSWERED: "the connection closed before the answer",
    ERROR_OTHER_CONTENT: "the response was no message",
    ERROR_CROWDED_OUT: "too many calls were open to watch it further",
}
"""Reasons for which a call has no answer, by its `error.type`."""

_MOST: Final = 1000
"""Characters of an exception's type, and of its message."""


def message_label(message: Message, tool: str | None = None) -> str:
    """Return the kind of a message and its id: `tools/call #3`, `result #3`, `error -32601`.

    Args:
        message: The message.
        tool: Text to put after its method, if there is one.
    """
    if message.kind in ("request", "notification") and message.method:
        parts = [message.method, *filter(None, [tool])]
    else:
        parts = [message.kind or "message"]
    if message.error_code is not None:
        parts.append(message.error_code)
    if message.request_id is not None:
        parts.append(f"#{message.request_id}")
    return " ".join(parts)


def failure(span: Span) -> str:
    """Return why a span failed: `cancelled by who asked`, `-32603: Unknown tool: lookup`."""
    error_type = span.error_type or "error"
    return ": ".join(filter(None, [NO_ANSWER.get(error_type, error_type), span.status_message]))


def exception_text(attributes: Mapping[str, Any]) -> str:
    """Return the exception that a record or an event tells of: `ValueError: no such tool`."""
    said = (attributes.get(f"exception.{part}") for part in ("type", "message"))
    return ": ".join(str(one)[:_MOST] for one in said if one)


def log_text(body: str | None, attributes: Mapping[str, Any]) -> str:
    """Return what a log record says: its text, and behind it the exception that it tells of."""
    return " · ".join(filter(None, [body, exception_text(attributes)]))


def count(number: int, noun: str) -> str:
    """Return a number of things: `1 span`, `1,200 spans`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
