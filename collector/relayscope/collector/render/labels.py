"""Labels of spans and messages, in the words that the terminal and the page share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relayscope.collector.query.records import Message, Span


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
    """Return why a span failed: `timeout`, `-32603: Unknown tool: lookup`."""
    return ": ".join(filter(None, [span.error_type or "error", span.status_message]))


def count(number: int, noun: str) -> str:
    """Return a number of things: `1 span`, `1,200 spans`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
